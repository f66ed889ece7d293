"""From observations to arms."""

from collections.abc import Iterable, Sequence

import numpy as np
from pivotscope.profile.metric import MetricKind, MetricRole, MetricSeries

from pivotscope_collector.impact.arm import Arm, Counter, Grid, Histogram, ProcessCpu, ProcessMemory, SubtreeCpu
from pivotscope_collector.impact.blocks import SECOND, Reads, SeriesPoints, increments
from pivotscope_collector.impact.question import Columns

COVERED = 0.9
"""Part of its processes' time that windows must cover for a block's CPU to count."""

Group = tuple[MetricRole, str, MetricKind]


def series_points(series: Sequence[tuple[int, MetricSeries]], columns: Columns) -> tuple[SeriesPoints, ...]:
    """Points of each series: one column for counters; sum, count and buckets for histograms."""
    ids = np.asarray(columns["series_id"], dtype=np.uint64)
    at, start = (np.asarray(columns[name], dtype=np.int64) for name in ("at_ns", "start_ns"))
    value = np.asarray(columns["value"], dtype=np.float64)
    found = []
    for key, one in series:
        rows = np.flatnonzero(ids == np.uint64(key))
        if rows.size == 0 or one.kind is MetricKind.GAUGE:
            continue
        values = value[rows, None]
        if one.kind is MetricKind.HISTOGRAM:
            size = len(one.bounds) + 1
            buckets = [columns["buckets"][row] for row in rows]
            rows = rows[[len(b) == size for b in buckets]]
            counts = np.array([b for b in buckets if len(b) == size], dtype=np.float64).reshape(-1, size)
            values = np.column_stack((value[rows], counts))
        found.append(SeriesPoints(one, at[rows], start[rows], values))
    return tuple(found)


def assemble(
    label: str,
    grid: Grid,
    points: Iterable[SeriesPoints],
    *,
    watched: Reads | None = None,
    cpu: ProcessCpu | None = None,
    subtree: SubtreeCpu | None = None,
    memory: tuple[ProcessMemory, ...] = (),
    shared_process: bool = False,
) -> Arm:
    """An arm of all its series, those of one role and name added up over instances and labels.

    `watched` says when instances were read for either arm: both arms' series may stand on one page.
    """
    groups: dict[Group, list[SeriesPoints]] = {}
    for one in points:
        groups.setdefault((one.series.role, one.series.name, one.series.kind), []).append(one)
    counters: list[Counter] = []
    histograms: list[Histogram] = []
    problems: list[str] = []
    for (role, name, kind), members in sorted(groups.items(), key=lambda item: item[0]):
        if len({m.series.bounds for m in members}) > 1:
            problems.append(f"{name}: its series have different buckets and are left out")
            continue
        if len({m.series.unit for m in members}) > 1:
            problems.append(f"{name}: its series have different units and are left out")
            continue
        if kind is MetricKind.COUNTER:
            found = _counter((role, name), members, grid, watched)
        else:
            histogram = _histogram((role, name), members, grid, watched)
            if role is MetricRole.LATENCY:
                histograms.append(histogram)
            found = _counted(histogram)
        if kind is MetricKind.COUNTER or role is not MetricRole.LATENCY:
            counters.append(found)
        problems += _oddities(found)
    return Arm(label, grid, tuple(counters), tuple(histograms), cpu, subtree, memory, shared_process, tuple(problems))


def process_cpu(columns: Columns, grid: Grid) -> ProcessCpu | None:
    """CPU-seconds a block; blocks that windows cover less than nine tenths of are NaN. None without a window."""
    block = np.asarray(columns["block"], dtype=np.int64)
    inside = (block >= 0) & (block < grid.count)
    if not inside.any():
        return None
    seconds = np.full(grid.count, np.nan)
    covered = np.asarray(columns["covered_ns"], dtype=np.float64)[inside]
    processes = np.asarray(columns["processes"], dtype=np.float64)[inside]
    cpu = np.asarray(columns["cpu_ns"], dtype=np.float64)[inside] / SECOND
    whole = covered >= COVERED * processes * grid.block_ns
    seconds[block[inside]] = np.where(whole, cpu, np.nan)
    return ProcessCpu(seconds)


def process_memory(columns: Columns) -> tuple[ProcessMemory, ...]:
    """Memory of each process."""
    rows = zip(columns["identity"], columns["mean_bytes"], columns["peak_bytes"], strict=True)
    return tuple(ProcessMemory(identity, float(mean), float(peak)) for identity, mean, peak in rows)


def _counter(of: tuple[MetricRole, str], members: list[SeriesPoints], grid: Grid, watched: Reads | None) -> Counter:
    found = increments(members, grid, 1, watched)
    role, name = of
    unit = members[0].series.unit
    return Counter(role, name, unit, found.values[:, 0], found.seconds, found.intervals, found.reversals, found.gaps)


def _histogram(of: tuple[MetricRole, str], members: list[SeriesPoints], grid: Grid, watched: Reads | None) -> Histogram:
    role, name = of
    first = members[0].series
    found = increments(members, grid, len(first.bounds) + 2, watched)
    return Histogram(
        role,
        name,
        first.unit,
        first.bounds,
        found.values[:, 1:],
        found.values[:, 0],
        found.seconds,
        found.intervals,
        found.reversals,
        found.gaps,
    )


def _counted(histogram: Histogram) -> Counter:
    return Counter(
        histogram.role,
        histogram.name,
        "",
        histogram.counts,
        histogram.seconds,
        histogram.intervals,
        histogram.reversals,
        histogram.gaps,
    )


def _oddities(counter: Counter) -> list[str]:
    said = []
    if counter.gaps:
        said.append(f"{counter.name}: {counter.gaps} gaps; the blocks that they touch are left out")
    if counter.reversals:
        said.append(f"{counter.name}: stepped backwards {counter.reversals} of {counter.intervals} times")
    return said
