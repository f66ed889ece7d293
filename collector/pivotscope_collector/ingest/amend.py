"""A judged batch as rows: without what was refused, and with what was corrected. Pure."""

from dataclasses import replace

import numpy as np
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.ingest.decode import decode
from pivotscope_collector.ingest.judge import Judged
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.names import MODES
from pivotscope_collector.ingest.refusal import Part, code
from pivotscope_collector.store import rows as r
from pivotscope_collector.store.rows import Row, Rows, Samples

REFUSED = "refused"
"""Outcome of a window whose samples were left out."""
_OUTCOME, _REASON = r.WINDOW.index("outcome"), r.WINDOW.index("reason")
_AGENT_STARTED = r.WINDOW.index("agent_started_at")
_MS = 1_000_000


def amended(judged: Judged, limits: Limits) -> Rows:
    """Rows of a batch that was not refused; its stray windows are booked at the moment that it was judged as of.

    Positions name windows for ever, so a window that is left out keeps its place until rows are made.
    """
    received, windows = (
        judged.received,
        {part.position: part for part in judged.parts if part.kind == pb.PART_KIND_WINDOW},
    )
    places = received.dictionary.places
    batch = pb.Batch()
    batch.CopyFrom(received.batch)
    for position, part in windows.items():
        window = batch.windows[position]
        window.CopyFrom(_reduced(window, limits) if part.measured else _placeholder(next(iter(places), 0)))
    for position in judged.flags:
        batch.windows[position].started_unix_ns = received.now_ns - batch.clock_offset_ns
    for kind, items in ((pb.PART_KIND_POINT, batch.points), (pb.PART_KIND_FILE, batch.files),
                        (pb.PART_KIND_CODEBASE, batch.codebases)):  # fmt: skip
        for position in sorted((part.position for part in judged.parts if part.kind == kind), reverse=True):
            del items[position]
    if not places:
        del batch.windows[:]
    rows = decode([replace(received, batch=batch)])
    if rows is None:
        raise ValueError(f"batch {batch.sequence} was judged fit to be stored, and is not")
    return _edited(rows, judged, windows)


def _placeholder(process: int) -> pb.Window:
    """Any window that can be decoded."""
    return pb.Window(process=process, mode=pb.MODE_NONE, outcome=pb.OUTCOME_SAMPLER_FAILED)


def _reduced(window: pb.Window, limits: Limits) -> pb.Window:
    """What a refused window measured, as far as it can be believed, without samples."""
    usage = window.usage
    return pb.Window(
        process=window.process,
        mode=window.mode if window.mode in MODES else pb.MODE_NONE,
        # Replaced by the outcome that the store alone knows.
        outcome=pb.OUTCOME_SAMPLER_FAILED,
        started_unix_ns=window.started_unix_ns,
        duration_ns=window.duration_ns if 0 <= window.duration_ns <= limits.duration_ns else 0,
        usage=pb.Usage(
            cpu_user_ns=usage.cpu_user_ns,
            cpu_system_ns=usage.cpu_system_ns,
            resident_bytes=_within(usage.resident_bytes, limits.amount),
            proportional_bytes=_within(usage.proportional_bytes, limits.amount),
            read_bytes=_within(usage.read_bytes, limits.amount),
            written_bytes=_within(usage.written_bytes, limits.amount),
            threads=usage.threads,
        ),
        gap_cpu_ns=window.gap_cpu_ns,
        sampler_cpu_ns=_within(window.sampler_cpu_ns, limits.cpu_ns),
    )


def _within(value: int, most: int) -> int:
    return value if value <= most else 0


def _edited(rows: Rows, judged: Judged, refused: dict[int, Part]) -> Rows:
    """Flags and outcomes as the store knows them; what was left out is gone."""
    kept_rows = [position not in refused or refused[position].measured for position in range(len(rows.windows))]
    keep = np.array(kept_rows, np.bool_)
    numbers = np.cumsum(keep) - 1
    samples = rows.samples
    kept = np.flatnonzero(keep[samples.window]) if len(samples.window) else np.empty(0, np.int64)
    return replace(
        rows,
        windows=[
            _row(row, judged, position, refused.get(position))
            for position, row in enumerate(rows.windows)
            if keep[position]
        ],
        samples=Samples(
            window=numbers[samples.window[kept]],
            stack_id=samples.stack_id[kept],
            line=samples.line[kept],
            count=samples.count[kept],
            native=samples.native[kept],
        ),
    )


def _row(row: Row, judged: Judged, position: int, part: Part | None) -> Row:
    values = list(row)
    flag = judged.flags.get(position)
    if part is not None:
        values[_OUTCOME], values[_REASON] = REFUSED, f"refused_{code(part.refusal)}"
    if flag:
        values[_AGENT_STARTED] = max(0, judged.received.batch.windows[position].started_unix_ns) // _MS
        values[_REASON] = f"{flag}: {values[_REASON]}" if values[_REASON] else flag
    return tuple(values)
