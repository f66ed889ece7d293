"""Batches of many streams as rows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain

import numpy as np
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.names import LANGUAGES, MODES, OUTCOMES
from pivotscope_collector.ingest.stacks import Stacks
from pivotscope_collector.store.rows import U32, U64, Row, Rows, Samples, chained, u32

_MS = 1_000_000
_SECOND = 1_000_000_000
_MINUTE = 60_000_000_000
_LONGEST_LEFT_OUT = 60 * _MINUTE


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent a batch: with its sequence, its name for ever."""

    agent: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Received:
    """A batch, the dictionary of its stream, when it came (unix time), and rows of agents to be stored with it."""

    batch: pb.Batch
    dictionary: Dictionary
    origin: Origin
    now_ns: int = 0
    agents: Sequence[Row] = ()

    def __len__(self) -> int:
        return sum(len(window.stacks) for window in self.batch.windows) + 1


@dataclass(slots=True)
class _Flat:
    """Windows as rows, and the samples of all of them as columns."""

    windows: list[Row] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    ids: list[U64] = field(default_factory=list)
    numbers: list[U32] = field(default_factory=list)
    owners: list[Dictionary] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    natives: list[int] = field(default_factory=list)


def decode(received: Sequence[Received], limits: Limits | None = None) -> Rows | None:
    """Rows of batches. With `limits`: nothing where anything in them is not plainly within the limits.

    Batches that `validate.check` passed need no limits. It is the judge: this only tells quickly that all is well.
    """
    flat = _Flat()
    for one in received:
        if not _windows(one, flat, limits):
            return None
    counts, natives, lines = u32(flat.counts), u32(flat.natives), u32(flat.lines)
    window = np.repeat(np.arange(len(flat.windows)), flat.lengths)
    sums = np.bincount(window, counts, len(flat.windows)).astype(np.int64)
    ids = np.concatenate(flat.ids) if flat.ids else np.empty(0, np.uint64)
    if limits and len(counts) and not (
        counts.all()
        and (natives <= counts).all()
        and sums.max() <= limits.samples_per_window
        and lines.max() <= limits.line
        and ids.all()
    ):  # fmt: skip
        return None
    native_sums = np.bincount(window, natives, len(flat.windows)).astype(np.int64)
    return replace(
        _others(received),
        windows=[
            (*row[:27], samples, native, *row[27:])
            for row, samples, native in zip(flat.windows, sums.tolist(), native_sums.tolist(), strict=True)
        ],
        samples=Samples(window=window, stack_id=ids, line=lines, count=counts, native=natives),
        stacks=Stacks(ids, flat.numbers, flat.owners),
        functions=chained([one.dictionary.functions for one in received]),
    )


def _others(received: Sequence[Received]) -> Rows:
    """Points and facts: they come seldom."""
    points: list[Row] = []
    series: dict[int, Row] = {}
    for one in received:
        offset = one.batch.clock_offset_ns
        for point in one.batch.points:
            known = one.dictionary.series[point.series]
            series[known.series_id] = known.row
            at, start = (max(0, ns + offset) // _MS for ns in (point.unix_ns, point.start_unix_ns))
            points.append((known.service, known.series_id, at, start, point.value, point.count, list(point.buckets)))
    files = chain.from_iterable(one.batch.files for one in received)
    codebases = chain.from_iterable(one.batch.codebases for one in received)
    return Rows(
        series=series,
        points=points,
        code_functions=[row for file in files for row in _code(file)],
        agents=[row for one in received for row in one.agents],
        codebases=[(facts.codebase, facts.total_files, facts.total_lines) for facts in codebases],
    )


def window_prefix(origin: Origin, sequence: int) -> bytes:
    """What the windows of a batch hash together with their position in it."""
    agent = origin.agent.encode()
    return len(agent).to_bytes(4, "big") + agent + origin.epoch.to_bytes(8, "big") + sequence.to_bytes(8, "big")


def period_ns(duration_ns: int, stopped_ns: int, looks: int, rate_hz: int, left_out_ns: int = 0) -> int:
    """What one sample stands for: the time in which the process could run ÷ the looks that succeeded.

    A sampler holds the process for each look, at 200 Hz for a twentieth of the time. Where looks are not known (0) they
    came at the rate: 1 ÷ rate. 0 where nothing was sampled. A window also stands for the time before it, an hour at
    most, in which the process was left out by choice (Horvitz and Thompson, JASA 47 (1952), 663-685: the length of a
    pause is settled before the window that ends it is seen).
    """
    period = max(0, duration_ns - stopped_ns) // looks if looks > 0 else _SECOND // rate_hz if rate_hz else 0
    return period * (duration_ns + min(left_out_ns, _LONGEST_LEFT_OUT)) // duration_ns if duration_ns > 0 else period


def _windows(one: Received, flat: _Flat, limits: Limits | None) -> bool:
    """Take a batch's windows apart; False where something is not plainly within the limits."""
    batch, dictionary = one.batch, one.dictionary
    offset = batch.clock_offset_ns
    if limits and not (
        batch.sequence and abs(offset) <= limits.amount and len(batch.windows) <= limits.windows
    ):  # fmt: skip
        return False
    prefix = window_prefix(one.origin, batch.sequence)
    numbers: list[int] = []
    for position, window in enumerate(batch.windows):
        place = dictionary.places.get(window.process)
        stacks, lines = window.stacks[:], window.lines[:]
        counts, natives = window.counts[:], window.native_counts[:]
        many = len(stacks)
        if place is None or not len(lines) == len(counts) == len(natives) == many:
            return False
        if limits and not _within(window, many, limits, one.now_ns - offset):
            return False
        usage = window.usage
        started = max(0, window.started_unix_ns + offset)
        digest = blake2b(prefix + position.to_bytes(4, "big"), digest_size=8).digest()
        flat.windows.append(
            (
                started // _MINUTE * 60,
                *place[:5],
                MODES[window.mode],
                int.from_bytes(digest, "big"),
                one.origin.agent,
                one.origin.epoch,
                batch.sequence,
                position,
                *place[5:],
                OUTCOMES[window.outcome],
                window.reason,
                started // _MS,
                max(0, window.started_unix_ns) // _MS,
                window.duration_ns,
                window.rate_hz,
                window.ticks,
                window.late,
                window.errors,
                period_ns(
                    window.duration_ns,
                    window.stopped_ns,
                    window.ticks - window.errors,
                    window.rate_hz,
                    window.left_out_ns,
                ),
                usage.cpu_user_ns,
                usage.cpu_system_ns,
                window.gap_cpu_ns,
                window.sampler_cpu_ns,
                usage.resident_bytes,
                usage.proportional_bytes,
                usage.read_bytes,
                usage.written_bytes,
                usage.threads,
                usage.run_delay_ns,
            )
        )
        flat.lengths.append(many)
        numbers += stacks
        flat.lines += lines
        flat.counts += counts
        flat.natives += natives
    if numbers:
        known = dictionary.stack_ids
        if max(numbers) >= len(known):
            return False
        taken = u32(numbers)
        flat.numbers.append(taken)
        flat.ids.append(known[taken])
        flat.owners.append(dictionary)
    return True


def _within(window: pb.Window, rows: int, limits: Limits, now_ns: int) -> bool:
    """Whether no check of a window has anything to say; `now_ns` is the agent's time."""
    usage = window.usage
    return (
        window.mode in MODES
        and window.outcome in OUTCOMES
        and 0 <= window.duration_ns <= limits.duration_ns
        and 0 <= window.stopped_ns <= limits.duration_ns
        and (limits.doubt_seconds - limits.future_seconds) * _SECOND
        <= now_ns - window.started_unix_ns
        <= (limits.age_seconds - limits.doubt_seconds) * _SECOND
        and window.rate_hz <= limits.rate_hz
        and len(window.reason) <= limits.text_length
        and usage.cpu_user_ns <= limits.cpu_ns
        and usage.cpu_system_ns <= limits.cpu_ns
        and usage.run_delay_ns <= limits.cpu_ns
        and window.gap_cpu_ns <= limits.cpu_ns
        and window.sampler_cpu_ns <= limits.cpu_ns
        and usage.resident_bytes <= limits.amount
        and usage.proportional_bytes <= limits.amount
        and usage.read_bytes <= limits.amount
        and usage.written_bytes <= limits.amount
        and (
            rows == 0
            or (
                rows <= limits.rows_per_window
                and window.outcome == pb.OUTCOME_COMPLETE
                and window.mode != pb.MODE_NONE
                and (window.rate_hz > 0 or (window.ticks > 0 and window.duration_ns > 0))
            )
        )
    )


def _code(file: pb.FileFacts) -> list[Row]:
    return [
        (
            file.codebase,
            LANGUAGES[file.language],
            file.path,
            function.qualified_name,
            function.first_line,
            function.last_line,
            function.complexity,
            function.loops,
            function.loop_depth,
            function.parameters,
            function.calls,
            function.attributes,
            function.subscripts,
            function.arithmetic,
            function.awaits,
            function.strings,
            function.keyed,
            file.content_hash,
        )
        for function in file.functions
    ]
