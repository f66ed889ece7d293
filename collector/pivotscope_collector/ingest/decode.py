"""A batch that was found fit, as rows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.flat import Flat
from pivotscope_collector.ingest.names import LANGUAGES, MODES, OUTCOMES
from pivotscope_collector.store.rows import U32, Index, Row, Rows, Samples

_MS = 1_000_000
_MINUTE = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent a batch: with its sequence, its name for ever."""

    agent: str
    epoch: int


def decode(batch: pb.Batch, flat: Flat, dictionary: Dictionary, origin: Origin) -> Rows:
    """Rows of a batch that `validate.check` passed, and of the samples that it gave.

    Rows of a window with the same stack and line become one.
    """
    series = {number: dictionary.series[number] for number in {point.series for point in batch.points}}
    return Rows(
        windows=_windows(batch, dictionary, origin, _totals(flat, len(batch.windows))),
        samples=_samples(flat, dictionary),
        stacks=dictionary.stacks,
        functions=dictionary.functions,
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


def period_ns(duration_ns: int, stopped_ns: int, looks: int, rate_hz: int) -> int:
    """What one sample stands for: the time in which the process could run ÷ the looks that succeeded.

    A sampler holds the process for each look, at 200 Hz for a twentieth of the time. Where looks are not known (0) they
    came at the rate: 1 ÷ rate. 0 where nothing was sampled.
    """
    if looks > 0:
        return max(0, duration_ns - stopped_ns) // looks
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
                period_ns(window.duration_ns, window.stopped_ns, window.ticks - window.errors, window.rate_hz),
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
    return rows


def _totals(flat: Flat, windows: int) -> list[tuple[int, int]]:
    """Sums of each window's counts and native counts."""
    totals = [(0, 0)] * windows
    if flat.sampled:
        counts = np.add.reduceat(flat.counts, flat.starts, dtype=np.int64).tolist()
        natives = np.add.reduceat(flat.natives, flat.starts, dtype=np.int64).tolist()
        for number, count, native in zip(flat.sampled, counts, natives, strict=True):
            totals[number] = (count, native)
    return totals


def _samples(flat: Flat, dictionary: Dictionary) -> Samples:
    stacks = dictionary.stack_ids[flat.stacks]
    order, starts = _groups(flat.lines, stacks, flat.owner)
    first = order[starts]
    return Samples(
        window=flat.owner[first],
        stack_id=stacks[first],
        line=flat.lines[first],
        count=_sums(flat.counts[order], starts),
        native=_sums(flat.natives[order], starts),
    )


def _groups(*keys: NDArray[Any]) -> tuple[Index, Index]:
    """An order of the rows that brings equal ones together (the last key counts most), and where each group starts."""
    order = np.lexsort(keys)
    fresh = np.zeros(len(order), np.bool_)
    fresh[:1] = True
    for key in keys:
        ordered = key[order]
        fresh[1:] |= ordered[1:] != ordered[:-1]
    return order, np.flatnonzero(fresh)


def _sums(values: U32, starts: Index) -> U32:
    return np.add.reduceat(values, starts) if len(starts) else np.empty(0, np.uint32)


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
