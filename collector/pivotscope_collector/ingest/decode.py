"""A batch that was found fit, as rows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.names import LANGUAGES, MODES, OUTCOMES
from pivotscope_collector.ingest.validate import column
from pivotscope_collector.store.rows import Lines, Row, Rows, Samples

_MS = 1_000_000
_MINUTE = 60_000_000_000
_LINE_BITS = np.uint64(24)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent a batch: with its sequence, its name for ever."""

    agent: str
    epoch: int


def decode(batch: pb.Batch, dictionary: Dictionary, origin: Origin) -> Rows:
    """Rows of a batch that `validate.check` passed.

    Rows of a window with the same stack become one, and so do those with the same leaf function and line.
    """
    samples, lines, totals = _sampled(batch.windows, dictionary)
    stacks = {key: dictionary.stacks[key] for key in np.unique(samples.stack_id).tolist()}
    used = {function for functions in stacks.values() for function in functions}
    series = {number: dictionary.series[number] for number in {point.series for point in batch.points}}
    return Rows(
        windows=_windows(batch, dictionary, origin, totals),
        samples=samples,
        lines=lines,
        stacks=stacks,
        functions={key: dictionary.functions[key] for key in used},
        series={one.series_id: one.row for one in series.values()},
        points=[
            (
                series[point.series].service,
                series[point.series].series_id,
                (point.unix_ns + batch.clock_offset_ns) // _MS,
                max(0, point.start_unix_ns + batch.clock_offset_ns) // _MS,
                point.value,
                point.count,
                list(point.buckets),
            )
            for point in batch.points
        ],
        code_functions=[row for file in batch.files for row in _code(file)],
        codebases=[(facts.codebase, facts.total_files, facts.total_lines) for facts in batch.codebases],
    )


def window_prefix(origin: Origin, sequence: int) -> bytes:
    """What the windows of a batch hash together with their position in it."""
    agent = origin.agent.encode()
    return len(agent).to_bytes(4, "big") + agent + origin.epoch.to_bytes(8, "big") + sequence.to_bytes(8, "big")


def period_ns(duration_ns: int, ticks: int, rate_hz: int) -> int:
    """What one sample stands for: duration ÷ ticks, 1 ÷ rate where ticks are unknown, 0 where nothing was sampled."""
    if ticks:
        return duration_ns // ticks
    return 1_000_000_000 // rate_hz if rate_hz else 0


def _windows(batch: pb.Batch, dictionary: Dictionary, origin: Origin, totals: Sequence[tuple[int, int]]) -> list[Row]:
    prefix = window_prefix(origin, batch.sequence)
    rows: list[Row] = []
    for position, (window, (samples, native)) in enumerate(zip(batch.windows, totals, strict=True)):
        process = dictionary.processes[window.process]
        usage = window.usage
        started = max(0, window.started_unix_ns + batch.clock_offset_ns)
        digest = blake2b(prefix + position.to_bytes(4, "big"), digest_size=8).digest()
        rows.append(
            (
                started // _MINUTE * 60,
                process.service,
                process.environment,
                process.version,
                process.variant,
                LANGUAGES[process.language],
                MODES[window.mode],
                int.from_bytes(digest, "big"),
                origin.agent,
                origin.epoch,
                batch.sequence,
                position,
                process.instance,
                process.host,
                process.pid,
                process.started_unix_ns // _MS,
                process.runtime_version,
                process.container,
                OUTCOMES[window.outcome],
                window.reason,
                started // _MS,
                max(0, window.started_unix_ns) // _MS,
                window.duration_ns,
                window.rate_hz,
                window.ticks,
                window.late,
                window.errors,
                samples,
                native,
                period_ns(window.duration_ns, window.ticks, window.rate_hz),
                usage.cpu_user_ns,
                usage.cpu_system_ns,
                window.gap_cpu_ns,
                window.sampler_cpu_ns,
                usage.resident_bytes,
                usage.proportional_bytes,
                usage.read_bytes,
                usage.written_bytes,
                usage.threads,
            )
        )
    return rows


def _sampled(windows: Sequence[pb.Window], dictionary: Dictionary) -> tuple[Samples, Lines, list[tuple[int, int]]]:
    """Samples and lines of all windows, and the sums of each window's counts and native counts."""
    sampled = [number for number, window in enumerate(windows) if window.stacks]
    totals = [(0, 0)] * len(windows)
    if not sampled:
        return Samples(), Lines(), totals
    lengths = [len(windows[number].stacks) for number in sampled]
    owner = np.repeat(np.array(sampled, np.int64), lengths)
    wire = np.concatenate([column(windows[number].stacks) for number in sampled])
    line = np.concatenate([column(windows[number].lines) for number in sampled]).astype(np.uint64)
    count = np.concatenate([column(windows[number].counts) for number in sampled]).astype(np.int64)
    native = np.concatenate([column(windows[number].native_counts) for number in sampled]).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    sums = zip(np.add.reduceat(count, starts).tolist(), np.add.reduceat(native, starts).tolist(), strict=True)
    for number, pair in zip(sampled, sums, strict=True):
        totals[number] = pair
    first, group = _groups(owner, dictionary.stack_ids[wire])
    samples = Samples(
        window=owner[first],
        stack_id=dictionary.stack_ids[wire[first]],
        count=_add(group, count, len(first)),
        native=_add(group, native, len(first)),
    )
    with_line = line > 0
    owner, wire, line, count = owner[with_line], wire[with_line], line[with_line], count[with_line]
    leaves = dictionary.stack_leaves[wire]
    _, leaf = np.unique(leaves, return_inverse=True)
    first, group = _groups(owner, leaf.astype(np.uint64) << _LINE_BITS | line)
    return (
        samples,
        Lines(
            window=owner[first],
            function_id=leaves[first],
            line=line[first].astype(np.uint32),
            count=_add(group, count, len(first)),
        ),
        totals,
    )


def _groups(owner: np.ndarray, key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For rows named by (owner, key): the index of each distinct one's first row, and each row's group."""
    order = np.lexsort((key, owner))
    owner, key = owner[order], key[order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (owner[1:] != owner[:-1]) | (key[1:] != key[:-1])
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(fresh) - 1
    return order[fresh], group


def _add(group: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    sums = np.zeros(size, np.int64)
    np.add.at(sums, group, values)
    return sums.astype(np.uint32)


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
            file.content_hash,
        )
        for function in file.functions
    ]
