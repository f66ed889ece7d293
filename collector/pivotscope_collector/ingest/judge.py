"""What of a batch can be stored, and how: the slow and exact way, for batches that the quick checks did not pass. Pure.

A part that is not fit to be stored is left out, and the rest stays. A window keeps at least what it measured where that
can be believed, so that CPU stays counted: it becomes a failed one, without samples.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.ingest.decode import Received, window_prefix
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Part, Refusal, invalid
from pivotscope_collector.ingest.validate import (
    Scope,
    batch_problems,
    codebase_problems,
    file_problems,
    point_problems,
    window_problems,
)
from pivotscope_collector.store.corrections import Correction

FUTURE, LATE = "future", "late"


Place = Callable[[Sequence[Correction]], Mapping[int, int]]
"""Batch id → unix nanoseconds of its first reception: the same whenever, and to whichever collector, it comes again."""


def at_reception(astray: Sequence[Correction]) -> Mapping[int, int]:
    """They come for the first time: without a memory of the time before."""
    return {one.batch_id: one.now_ns for one in astray}


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found: nothing can be stored (`refusal`), or all but `parts`; `flags` are of windows by position.

    `doubtful`: a time is beyond a limit, or so near to one that another moment may be judged otherwise.
    """

    received: Received
    refusal: Refusal | None = None
    parts: tuple[Part, ...] = ()
    flags: Mapping[int, str] = field(default_factory=dict)
    doubtful: bool = False

    @property
    def clean(self) -> bool:
        """Whether it can be stored as it is."""
        return self.refusal is None and not self.parts and not self.flags

    @property
    def astray(self) -> Correction:
        """What there is to book elsewhere."""
        one = self.received
        prefix = window_prefix(one.origin, one.batch.sequence)
        batch_id = int.from_bytes(blake2b(prefix, digest_size=8).digest(), "big")
        flags = list(self.flags.values())
        return Correction(batch_id, one.origin.agent, flags.count(LATE), flags.count(FUTURE), one.now_ns)


def judge(one: Received, limits: Limits) -> Judged:
    """Look at every part of a batch. A reference that is not known yet has the whole batch sent again."""
    batch, scope = one.batch, _scope(one, limits)
    refusal = _first(batch_problems(batch, limits))
    if refusal:
        return Judged(one, refusal)
    parts = [*_windows(batch.windows, scope), *others(one, limits)]
    again = next((part.refusal for part in parts if part.refusal.retryable), None)
    if again:
        return Judged(one, again)
    kept = {part.position for part in parts if part.kind == pb.PART_KIND_WINDOW and not part.measured}
    ages = {
        position: scope.age_seconds(window.started_unix_ns)
        for position, window in enumerate(batch.windows)
        if position not in kept
    }
    flags = {position: flag for position, age in ages.items() if (flag := _flag(age, limits))}
    doubtful = any(_flag(age, limits, limits.doubt_seconds) for age in ages.values())
    return Judged(one, parts=tuple(parts), flags=flags, doubtful=doubtful)


def others(one: Received, limits: Limits) -> Iterator[Part]:
    """What is wrong with points and facts."""
    batch, scope = one.batch, _scope(one, limits)
    checks: tuple[tuple[pb.PartKind.ValueType, Iterable[Iterator[Refusal]]], ...] = (
        (pb.PART_KIND_POINT, (point_problems(x, f"points[{n}]", scope) for n, x in enumerate(batch.points))),
        (pb.PART_KIND_FILE, (file_problems(x, f"files[{n}]", scope) for n, x in enumerate(batch.files))),
        (
            pb.PART_KIND_CODEBASE,
            (codebase_problems(x, f"codebases[{n}]", scope) for n, x in enumerate(batch.codebases)),
        ),
    )
    return (
        Part(kind, position, refusal)
        for kind, found in checks
        for position, problems in enumerate(found)
        if (refusal := _first(problems))
    )


def _windows(windows: Sequence[pb.Window], scope: Scope) -> Iterator[Part]:
    for position, window in enumerate(windows):
        refusal = _first(window_problems(window, f"windows[{position}]", scope))
        if refusal:
            yield Part(pb.PART_KIND_WINDOW, position, refusal, _measured(window, scope))


def _measured(window: pb.Window, scope: Scope) -> bool:
    """Whether what a window measured can be believed, and of whom it is."""
    usage = window.usage
    return (
        window.process in scope.dictionary.places
        and max(usage.cpu_user_ns, usage.cpu_system_ns, window.gap_cpu_ns) <= scope.limits.cpu_ns
    )


def _flag(age_seconds: float, limits: Limits, nearer: float = 0.0) -> str:
    """What a time is beyond the limits, or beyond limits that are `nearer` by so many seconds."""
    if age_seconds > limits.age_seconds - nearer:
        return LATE
    return FUTURE if -age_seconds > limits.future_seconds - nearer else ""


def _first(problems: Iterator[Refusal]) -> Refusal | None:
    try:
        return next(problems, None)
    except (ValueError, ArithmeticError, LookupError) as error:
        # What no check foresaw must not come again and again.
        return invalid(f"cannot be read: {error!r}")


def _scope(one: Received, limits: Limits) -> Scope:
    return Scope(one.dictionary, limits, one.batch.clock_offset_ns, one.now_ns)
