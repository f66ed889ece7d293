"""Functions of a pool as columns: thousands of them are split in a few vector operations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.pool import FunctionSums, Pool
from pivotscope_collector.estimates.share import Interval, Vector

Ids = NDArray[np.uint64]
SUMS = (
    "self_samples", "total_samples", "self_native", "total_native",
    "self_y", "self_yy", "self_xy", "total_y", "total_yy", "total_xy",
)  # fmt: skip
"""Fields of FunctionSums, in the order of the rows of `FunctionColumns.sums`."""
COUNTS = len(SUMS)


@dataclass(frozen=True, slots=True)
class FunctionColumns:
    """Functions of one pool in one mode: `sums[i]` is SUMS[i] of each id; ids ascend, each once."""

    ids: Ids
    sums: NDArray[np.float64]

    def __getitem__(self, name: str) -> Vector:
        """A column by the name of its field."""
        column: Vector = self.sums[SUMS.index(name)]
        return column


def union(sets: Sequence[Ids]) -> Ids:
    """The ids of any of these, each once; they ascend, as those of each set do."""
    if not sets:
        return np.zeros(0, np.uint64)
    first, *others = sets
    if all(np.array_equal(first, one) for one in others):
        return first
    ordered = np.sort(np.concatenate(sets))
    found: Ids = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    return found


def places(ids: Ids, some: Ids) -> slice | NDArray[np.int64]:
    """Where some ids, all of which are among `ids`, are; both ascend."""
    return slice(None) if len(some) == len(ids) else np.searchsorted(ids, some)


def find(ids: Ids, wanted: Ids) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Which of `wanted` are among `ids`, which ascend, and where those are."""
    if not len(ids):
        return np.zeros(0, np.int64), np.zeros(len(wanted), np.bool_)
    # The last that is not larger; before the first is the last of all, which is none of those that are smaller.
    place = np.searchsorted(ids, wanted, side="right") - 1
    known = ids[place] == wanted
    return place[known], known


@dataclass(frozen=True, slots=True)
class Bounded:
    """Estimates with 95 % intervals, in arrays of one shape."""

    estimate: Vector
    low: Vector
    high: Vector

    def at(self, *place: int) -> Interval:
        """One of them."""
        return Interval(float(self.estimate[place]), float(self.low[place]), float(self.high[place]))

    def row(self, number: int, some: NDArray[np.int64]) -> list[Interval]:
        """Some of a pool's."""
        columns = (one[number, some].tolist() for one in (self.estimate, self.low, self.high))
        return [Interval(*one) for one in zip(*columns, strict=True)]


PoolColumns = Mapping[Pool, Mapping[Mode, Sequence[FunctionColumns]]]
"""Functions by pool and mode, in parts that add up."""


def columns_of(functions: Iterable[FunctionSums]) -> PoolColumns:
    """The same as columns; the last counts where a function comes twice."""
    rows: dict[Pool, dict[Mode, dict[int, FunctionSums]]] = {}
    for row in functions:
        rows.setdefault(row.pool, {}).setdefault(row.mode, {})[row.function] = row
    return {pool: {mode: [_column(found)] for mode, found in modes.items()} for pool, modes in rows.items()}


def _column(rows: dict[int, FunctionSums]) -> FunctionColumns:
    ids = sorted(rows)
    values = [[float(getattr(rows[key], name)) for key in ids] for name in SUMS]
    return FunctionColumns(np.array(ids, np.uint64), np.array(values).reshape(COUNTS, len(ids)))
