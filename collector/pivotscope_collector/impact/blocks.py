"""From cumulative points to increments a block of time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.metric import MetricRole, MetricSeries

from pivotscope_collector.impact.arm import FloatArray, Grid

SECOND = 1_000_000_000
BLOCKS = tuple(s * SECOND for s in (10, 15, 30, 60, 300, 900, 3600, 6 * 3600))
ENOUGH, MANY = 20, 1500
GAP = 3.0
"""Steps longer than this many usual steps are gaps."""

NETWORK = frozenset({MetricRole.NETWORK_RECEIVED, MetricRole.NETWORK_SENT})

Reads = Mapping[str, NDArray[np.int64]]
"""Times in unix nanoseconds at which an instance was read."""

WHOLE = 0.95
"""Part of a block that must have been observed for the block to count."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesPoints:
    """A series with its points in time order: unix nanoseconds, start of counting, (points, columns) of values."""

    series: MetricSeries
    at_ns: NDArray[np.int64]
    start_ns: NDArray[np.int64]
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Increments:
    """(blocks, columns) increments; NaN where a block was not observed whole. `seconds` were observed in each block."""

    values: FloatArray
    seconds: FloatArray
    intervals: int
    reversals: int
    gaps: int


def choose_block(span_ns: int, cadence_ns: int = 0) -> int:
    """Length of a block: a minute; less where a short span had fewer than 20, more where a long one had over 1,500.

    Never shorter than the usual step between points.
    """
    fitting = [b for b in BLOCKS if b >= cadence_ns] or [cadence_ns]
    minute = 60 * SECOND
    if span_ns // minute >= ENOUGH:
        return next((b for b in fitting if b >= minute and span_ns // b <= MANY), fitting[-1])
    short = [b for b in fitting if b <= minute and span_ns // b >= ENOUGH]
    return short[-1] if short else fitting[0]


def lay_grid(since_ns: int, until_ns: int, block_ns: int) -> Grid:
    """The whole blocks from `since_ns` on; at least one."""
    return Grid(since_ns, block_ns, max(1, (until_ns - since_ns) // block_ns))


def cadence(series: Sequence[SeriesPoints]) -> int:
    """The usual step between points, in nanoseconds: the median over all series; 0 where none has two points."""
    steps = [np.diff(s.at_ns) for s in series if s.at_ns.size > 1]
    return int(np.median(np.concatenate(steps))) if steps else 0


def reads(series: Iterable[SeriesPoints]) -> Reads:
    """When each instance's page was read, by the points of any of its series. Network counters are no page."""
    by_instance: dict[str, list[NDArray[np.int64]]] = {}
    for one in series:
        if one.series.role not in NETWORK:
            by_instance.setdefault(one.series.instance, []).append(one.at_ns)
    return {instance: np.unique(np.concatenate(times)) for instance, times in by_instance.items()}


def increments(series: Sequence[SeriesPoints], grid: Grid, columns: int, watched: Reads | None = None) -> Increments:
    """Add up the series of one metric over the blocks.

    Within one step between points the increment is spread evenly. A step longer than three usual ones is a gap:
    nothing is put there, and every block that it touches is NaN. A new start time is a reset: the value counts from
    the start on, and what was counted between the last read and the start is unknown, as in a gap. A step back
    without one is a reversal and treated as a gap.

    `watched` says when each instance was read at all (default: when these series were). A label that has not been used
    yet has no series: while its instance is read and it is not there, it is zero.
    """
    longest = GAP * max(cadence(series), SECOND)
    watched = {**reads(series), **(watched or {})}
    total = np.zeros((grid.count, columns))
    spoiled = np.zeros(grid.count, dtype=np.bool_)
    covered: list[tuple[float, float]] = []
    intervals = reversals = gaps = 0
    for one in series:
        begin, end, delta = _steps(one, watched.get(one.series.instance, one.at_ns), longest)
        negative = (delta < 0).any(axis=1)
        long = (end - begin) > longest
        good = ~negative & ~long & (end > begin)
        intervals += int(end.size)
        reversals += int(negative.sum())
        gaps += int((long & ~negative).sum())
        total += _spread(begin[good], end[good], delta[good], grid)
        unknown = negative | long
        _spoil(spoiled, begin[unknown], end[unknown], grid)
        _spoil(spoiled, end[:-1], begin[1:], grid)
        covered += zip(begin[good].tolist(), end[good].tolist(), strict=True)
    for instance in {one.series.instance for one in series} & set(watched):
        times = watched[instance]
        short = np.diff(times) <= longest
        covered += zip(times[:-1][short].tolist(), times[1:][short].tolist(), strict=True)
    seconds = _coverage(covered, grid)
    spoiled |= seconds < WHOLE * grid.block_ns / SECOND
    total[spoiled] = np.nan
    return Increments(total, np.where(spoiled, 0.0, seconds), intervals, reversals, gaps)


def _steps(
    one: SeriesPoints, watched: NDArray[np.int64], longest: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """Begin, end and increment of each step of a series."""
    at, start, values = one.at_ns, one.start_ns, one.values
    if at.size == 0:
        return at, at, values
    again = start[1:] == start[:-1]
    begin = np.where(again, at[:-1], np.maximum(at[:-1], np.minimum(start[1:], at[1:])))
    delta = np.where(again[:, None], values[1:] - values[:-1], values[1:])
    end = at[1:]
    first = _first(int(at[0]), int(start[0]), watched, longest)
    if first is None:
        return begin, end, delta
    return np.append(first, begin), at, np.vstack((values[:1], delta))


def _first(at: int, start: int, watched: NDArray[np.int64], longest: float) -> int | None:
    """From when the first value of a series counts; None where it is only where counting begins."""
    if 0 < at - start <= longest:
        return start
    before = watched[watched < at]
    # Absent in two rounds at least: one could be another page of the instance, read a moment earlier.
    if before.size > 1 and at - int(before[0]) > longest / GAP and at - int(before[-1]) <= longest:
        return max(int(before[-1]), start if start < at else 0)
    return None


def _spread(begin: NDArray[np.int64], end: NDArray[np.int64], delta: FloatArray, grid: Grid) -> FloatArray:
    """Increments of the blocks when each step's increment is spread evenly over it; (blocks, columns)."""
    if begin.size == 0:
        return np.zeros((grid.count, delta.shape[1]))
    times = np.column_stack((begin, end)).ravel() - grid.start_ns
    cumulative = delta.cumsum(axis=0)
    levels = np.stack((cumulative - delta, cumulative), axis=1).reshape(-1, delta.shape[1])
    edges = np.arange(grid.count + 1) * grid.block_ns
    at_edges = np.column_stack([np.interp(edges, times, levels[:, c]) for c in range(delta.shape[1])])
    return np.diff(at_edges, axis=0)


def _spoil(spoiled: NDArray[np.bool_], begin: NDArray[np.int64], end: NDArray[np.int64], grid: Grid) -> None:
    """Mark the blocks that stretches of time touch; empty stretches touch none."""
    real = end > begin
    for first, last in zip(begin[real], end[real] - 1, strict=True):
        low, high = ((int(t) - grid.start_ns) // grid.block_ns for t in (first, last))
        spoiled[max(low, 0) : max(high + 1, 0)] = True


def _coverage(covered: list[tuple[float, float]], grid: Grid) -> FloatArray:
    """Seconds of each block within the union of the intervals."""
    edges = grid.start_ns + np.arange(grid.count + 1) * float(grid.block_ns)
    length = reach = 0.0
    times, lengths = [float(edges[0])], [0.0]
    for begin, end in sorted(covered):
        fresh = max(begin, reach)
        if end > fresh:
            times += [max(fresh, times[-1]), end]
            length += end - fresh
            lengths += [lengths[-1], length]
            reach = end
    seconds: FloatArray = np.diff(np.interp(edges, times, lengths)) / SECOND
    return seconds
