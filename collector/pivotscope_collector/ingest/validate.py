"""Are a batch and its parts fit to be stored? Pure: message and dictionary in, refusals out.

Each check is a generator of what is wrong; the first thing found is the answer, so later lines may rely on earlier.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import numpy as np
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.ingest.counts import too_many
from pivotscope_collector.ingest.dictionary import Dictionary, Series
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.names import LANGUAGES, MODES, OUTCOMES
from pivotscope_collector.ingest.refusal import Refusal, forbidden, invalid, too_large
from pivotscope_collector.ingest.windows import period_ns

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Scope:
    """What the checks of one batch share; `now_ns` is unix time."""

    dictionary: Dictionary
    limits: Limits
    offset_ns: int
    now_ns: int

    def age_seconds(self, unix_ns: int) -> float:
        """Age of an agent's time, as corrected; negative in the future."""
        return (self.now_ns - unix_ns - self.offset_ns) / _SECOND


def batch_problems(batch: pb.Batch, limits: Limits) -> Iterator[Refusal]:
    """What is wrong with a batch as a whole."""
    if batch.sequence == 0:
        yield invalid("sequence is 0; sequences count from 1")
    if abs(batch.clock_offset_ns) > limits.amount:
        yield invalid(f"clock_offset_ns is {batch.clock_offset_ns}")
    crowded = too_many(batch, limits)
    if crowded:
        yield crowded


def codebase_problems(codebase: pb.CodebaseFacts, where: str, scope: Scope) -> Iterator[Refusal]:
    """What is wrong with the facts of a codebase."""
    yield from _allowed(codebase.codebase, where, scope)
    if not 1 <= len(codebase.codebase) <= scope.limits.text_length:
        yield invalid(f"{where}: codebase is empty or too long")


def _allowed(codebase: str, where: str, scope: Scope) -> Iterator[Refusal]:
    """Facts are of a codebase; windows and points name a service, which the dictionary has judged."""
    grant = scope.dictionary.grant
    if not grant.may_write(codebase):
        yield forbidden(where, codebase, grant.rights)


def window_problems(window: pb.Window, where: str, scope: Scope) -> Iterator[Refusal]:
    """What is wrong with a window; when it was is not judged here."""
    limits = scope.limits
    if window.process not in scope.dictionary.places:
        yield scope.dictionary.missing("process", window.process, where)
    if window.mode not in MODES or window.outcome not in OUTCOMES:
        yield invalid(f"{where}: mode {window.mode} or outcome {window.outcome} is not known")
    for name in ("duration_ns", "stopped_ns"):
        if not 0 <= getattr(window, name) <= limits.duration_ns:
            yield invalid(f"{where}: {name} is {getattr(window, name)}, expected 0 to {limits.duration_ns}")
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
    yield from _columns(window, where, scope)
    yield from _weight(window, where, limits)


def _columns(window: pb.Window, where: str, scope: Scope) -> Iterator[Refusal]:
    limits = scope.limits
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
    # A slice of a repeated field is a list, which costs less than going over the field.
    counts, natives = np.array(window.counts[:], np.uint32), np.array(window.native_counts[:], np.uint32)
    if ((counts == 0) | (natives > counts)).any():
        yield invalid(f"{where}: counts must be above 0 and native_counts at most counts")
    if counts.sum(dtype=np.uint64) > limits.samples_per_window:
        yield invalid(f"{where}: more than {limits.samples_per_window} samples")
    if max(window.lines) > limits.line:
        yield invalid(f"{where}: a line above {limits.line}")
    stacks, known = np.array(window.stacks[:], np.uint32), scope.dictionary.stack_ids
    unresolved = (known[np.minimum(stacks, len(known) - 1)] == 0) | (stacks >= len(known))
    if unresolved.any():
        yield scope.dictionary.missing("stack", int(stacks[unresolved.argmax()]), where)


def _weight(window: pb.Window, where: str, limits: Limits) -> Iterator[Refusal]:
    looks, samples = window.ticks - window.errors, sum(window.counts[:])
    period = period_ns(window.duration_ns, window.stopped_ns, looks, window.rate_hz, window.left_out_ns)
    if max(1, samples) * period > limits.sampled_ns:
        yield invalid(f"{where}: {samples} samples of {period} ns each, at most {limits.sampled_ns} ns in all")


def point_problems(point: pb.MetricPoint, where: str, scope: Scope) -> Iterator[Refusal]:
    """What is wrong with a point. One of another time is not moved, that would spoil its series: the next says more."""
    series = scope.dictionary.series.get(point.series)
    if series is None:
        yield scope.dictionary.missing("series", point.series, where)
        return
    if not 0 <= point.start_unix_ns <= point.unix_ns:
        yield invalid(f"{where}: start_unix_ns {point.start_unix_ns} is not within 0 and unix_ns {point.unix_ns}")
    problem = _value(point, series)
    if problem:
        yield invalid(f"{where}: {problem}")
    age, limits = scope.age_seconds(point.unix_ns), scope.limits
    if age > limits.age_seconds:
        yield invalid(f"{where}: {age:.0f} s old, at most {limits.age_seconds} s are kept in detail")
    if -age > limits.future_seconds:
        yield invalid(f"{where}: {-age:.0f} s in the future, at most {limits.future_seconds}; check the clocks")


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


def file_problems(facts: pb.FileFacts, where: str, scope: Scope) -> Iterator[Refusal]:
    """What is wrong with the facts of a file."""
    limits = scope.limits
    yield from _allowed(facts.codebase, where, scope)
    if not facts.path or facts.language not in LANGUAGES:
        yield invalid(f"{where}: path is empty, or language {facts.language} is not known")
    if max(len(facts.path), len(facts.codebase), len(facts.content_hash)) > limits.text_length:
        yield invalid(f"{where}: text of more than {limits.text_length} characters")
    for number, function in enumerate(facts.functions):
        if not 1 <= function.first_line <= function.last_line or not function.qualified_name:
            yield invalid(f"{where}.functions[{number}]: no name, or lines that do not ascend from 1")
        if len(function.qualified_name) > limits.text_length:
            yield invalid(f"{where}.functions[{number}]: a name of more than {limits.text_length} characters")
