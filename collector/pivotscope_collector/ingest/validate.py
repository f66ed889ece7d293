"""Is a batch fit to be stored? Pure: message and dictionary in, refusal or nothing out.

Each check is a generator of what is wrong; the first thing found is the answer, so later lines may rely on earlier.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.ingest.dictionary import Dictionary, Series
from pivotscope_collector.ingest.flat import Flat, flatten
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.names import LANGUAGES, MODES, OUTCOMES
from pivotscope_collector.ingest.refusal import Refusal, forbidden, invalid, too_large

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the checks of one batch share."""

    dictionary: Dictionary
    limits: Limits
    offset_ns: int
    now_ns: int


def check(batch: pb.Batch, dictionary: Dictionary, limits: Limits, now_ns: int) -> Refusal | None:
    """The first thing that is wrong with a batch; nothing if it can be stored. `now_ns` is unix time."""
    scope = _Scope(dictionary, limits, batch.clock_offset_ns, now_ns)
    refusal = next(_batch(batch, scope), None)
    if refusal:
        return refusal
    return next(_samples(flatten(batch.windows), scope), None)


def _batch(batch: pb.Batch, scope: _Scope) -> Iterator[Refusal]:
    limits = scope.limits
    if batch.sequence == 0:
        yield invalid("sequence is 0; sequences count from 1")
    if abs(batch.clock_offset_ns) > limits.amount:
        yield invalid(f"clock_offset_ns is {batch.clock_offset_ns}")
    if len(batch.windows) > limits.windows or len(batch.points) > limits.points:
        yield too_large(
            f"{len(batch.windows)} windows and {len(batch.points)} points; "
            f"at most {limits.windows} and {limits.points} fit a batch"
        )
    for position, window in enumerate(batch.windows):
        yield from _window(window, f"windows[{position}]", scope)
    for position, point in enumerate(batch.points):
        yield from _point(point, f"points[{position}]", scope)
    for position, facts in enumerate(batch.files):
        yield from _allowed(facts.codebase, f"files[{position}]", scope)
        yield from _file(facts, f"files[{position}]", limits)
    for position, codebase in enumerate(batch.codebases):
        yield from _allowed(codebase.codebase, f"codebases[{position}]", scope)
        if not 1 <= len(codebase.codebase) <= limits.text_length:
            yield invalid(f"codebases[{position}]: codebase is empty or too long")


def _allowed(codebase: str, where: str, scope: _Scope) -> Iterator[Refusal]:
    """Facts are of a codebase; windows and points name a service, which the dictionary has judged."""
    grant = scope.dictionary.grant
    if not grant.may_write(codebase):
        yield forbidden(where, codebase, grant.rights)


def _window(window: pb.Window, where: str, scope: _Scope) -> Iterator[Refusal]:
    limits = scope.limits
    if window.process not in scope.dictionary.places:
        yield scope.dictionary.missing("process", window.process, where)
    if window.mode not in MODES or window.outcome not in OUTCOMES:
        yield invalid(f"{where}: mode {window.mode} or outcome {window.outcome} is not known")
    for name in ("duration_ns", "stopped_ns"):
        if not 0 <= getattr(window, name) <= limits.duration_ns:
            yield invalid(f"{where}: {name} is {getattr(window, name)}, expected 0 to {limits.duration_ns}")
    yield from _age(window.started_unix_ns, where, scope)
    if window.rate_hz > limits.rate_hz:
        yield invalid(f"{where}: rate_hz is {window.rate_hz}, at most {limits.rate_hz}")
    if len(window.reason) > limits.text_length:
        yield invalid(f"{where}: reason has {len(window.reason)} characters, at most {limits.text_length}")
    usage = window.usage
    cpu = max(usage.cpu_user_ns, usage.cpu_system_ns, usage.run_delay_ns, window.gap_cpu_ns, window.sampler_cpu_ns)
    if cpu > limits.cpu_ns:
        yield invalid(f"{where}: CPU of {cpu} ns, at most {limits.cpu_ns}")
    amount = max(usage.resident_bytes, usage.proportional_bytes, usage.read_bytes, usage.written_bytes)
    if amount > limits.amount:
        yield invalid(f"{where}: {amount} bytes, at most {limits.amount}")
    yield from _columns(window, where, limits)


def _columns(window: pb.Window, where: str, limits: Limits) -> Iterator[Refusal]:
    rows = len(window.stacks)
    lengths = (rows, len(window.lines), len(window.counts), len(window.native_counts))
    if set(lengths) != {rows}:
        yield invalid(f"{where}: stacks, lines, counts and native_counts have {lengths} rows, expected as many each")
    if rows == 0:
        return
    if rows > limits.rows_per_window:
        yield too_large(f"{where}: {rows} rows, at most {limits.rows_per_window}")
    if window.outcome != pb.OUTCOME_COMPLETE or window.mode == pb.MODE_NONE:
        yield invalid(f"{where}: only complete windows of a sampler carry samples")
    if window.rate_hz == 0 and (window.ticks == 0 or window.duration_ns == 0):
        yield invalid(f"{where}: samples without rate_hz, and without ticks and duration, stand for nothing")


def _samples(flat: Flat, scope: _Scope) -> Iterator[Refusal]:
    """Checks over the rows of all windows at once."""
    if not flat.sampled:
        return
    odd = (flat.counts == 0) | (flat.natives > flat.counts)
    if odd.any():
        yield invalid(f"{_first(flat, odd)}: counts must be above 0 and native_counts at most counts")
    sums = np.add.reduceat(flat.counts.astype(np.uint64), flat.starts)
    if sums.max() > scope.limits.samples_per_window:
        where = f"windows[{flat.sampled[int(sums.argmax())]}]"
        yield invalid(f"{where}: more than {scope.limits.samples_per_window} samples")
    above = flat.lines > scope.limits.line
    if above.any():
        yield invalid(f"{_first(flat, above)}: a line above {scope.limits.line}")
    known = scope.dictionary.stack_ids
    unresolved = (known[np.minimum(flat.stacks, len(known) - 1)] == 0) | (flat.stacks >= len(known))
    if unresolved.any():
        number = int(flat.stacks[unresolved.argmax()])
        yield scope.dictionary.missing("stack", number, _first(flat, unresolved))


def _first(flat: Flat, rows: NDArray[np.bool_]) -> str:
    return f"windows[{flat.owner[rows.argmax()]}]"


def _age(unix_ns: int, where: str, scope: _Scope) -> Iterator[Refusal]:
    """Times are judged as corrected. What is too old cannot be counted exactly: parts of its minute have expired."""
    age = (scope.now_ns - unix_ns - scope.offset_ns) / _SECOND
    if age > scope.limits.age_seconds:
        yield invalid(f"{where}: {age:.0f} s old, at most {scope.limits.age_seconds} s are kept in detail")
    if -age > scope.limits.future_seconds:
        yield invalid(f"{where}: {-age:.0f} s in the future, at most {scope.limits.future_seconds}; check the clocks")


def _point(point: pb.MetricPoint, where: str, scope: _Scope) -> Iterator[Refusal]:
    series = scope.dictionary.series.get(point.series)
    if series is None:
        yield scope.dictionary.missing("series", point.series, where)
        return
    if not 0 <= point.start_unix_ns <= point.unix_ns:
        yield invalid(f"{where}: start_unix_ns {point.start_unix_ns} is not within 0 and unix_ns {point.unix_ns}")
    problem = _value(point, series)
    if problem:
        yield invalid(f"{where}: {problem}")
    yield from _age(point.unix_ns, where, scope)


def _value(point: pb.MetricPoint, series: Series) -> str:
    if not isfinite(point.value):
        return f"value is {point.value}"
    if series.counter and point.value < 0:
        return f"a counter of {point.value}"
    expected = series.buckets if series.histogram else 0
    if len(point.buckets) != expected:
        return f"{len(point.buckets)} buckets, expected {expected}"
    if series.histogram and sum(point.buckets) != point.count:
        return f"buckets add up to {sum(point.buckets)}, count is {point.count}"
    return ""


def _file(facts: pb.FileFacts, where: str, limits: Limits) -> Iterator[Refusal]:
    if not facts.path or facts.language not in LANGUAGES:
        yield invalid(f"{where}: path is empty, or language {facts.language} is not known")
    if len(facts.functions) > limits.functions_per_file:
        yield too_large(f"{where}: {len(facts.functions)} functions, at most {limits.functions_per_file}")
    if max(len(facts.path), len(facts.codebase), len(facts.content_hash)) > limits.text_length:
        yield invalid(f"{where}: text of more than {limits.text_length} characters")
    for number, function in enumerate(facts.functions):
        if not 1 <= function.first_line <= function.last_line or not function.qualified_name:
            yield invalid(f"{where}.functions[{number}]: no name, or lines that do not ascend from 1")
        if len(function.qualified_name) > limits.text_length:
            yield invalid(f"{where}.functions[{number}]: a name of more than {limits.text_length} characters")
