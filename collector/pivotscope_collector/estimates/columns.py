"""Functions of a pool as columns: thousands of them are split in a few vector operations."""

from collections.abc import Iterable, Sequence
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

    def along(self, ids: Ids) -> "FunctionColumns":
        """The same for `ids`, which hold all of its own; 0 where it has none."""
        if len(ids) == len(self.ids):
            return self
        sums = np.zeros((COUNTS, len(ids)))
        sums[:, places(ids, self.ids)] = self.sums
        return FunctionColumns(ids, sums)

    def has(self, ids: Ids) -> NDArray[np.bool_]:
        """Which of `ids`, which hold all of its own, it has."""
        found = np.zeros(len(ids), np.bool_)
        found[places(ids, self.ids)] = True
        return found

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


@dataclass(frozen=True, slots=True)
class Bounded:
    """Estimates with 95 % intervals, in arrays of one shape."""

    estimate: Vector
    low: Vector
    high: Vector

    def at(self, *place: int) -> Interval:
        """One of them."""
        return Interval(float(self.estimate[place]), float(self.low[place]), float(self.high[place]))

    def row(self, number: int) -> list[Interval]:
        """Those of a pool."""
        columns = (one[number].tolist() for one in (self.estimate, self.low, self.high))
        return [Interval(*one) for one in zip(*columns, strict=True)]


PoolColumns = dict[Pool, dict[Mode, FunctionColumns]]


def columns_of(functions: Iterable[FunctionSums]) -> PoolColumns:
    """The same as columns; the last counts where a function comes twice."""
    rows: dict[Pool, dict[Mode, dict[int, FunctionSums]]] = {}
    for row in functions:
        rows.setdefault(row.pool, {}).setdefault(row.mode, {})[row.function] = row
    return {pool: {mode: _column(found) for mode, found in modes.items()} for pool, modes in rows.items()}


def _column(rows: dict[int, FunctionSums]) -> FunctionColumns:
    ids = sorted(rows)
    values = [[float(getattr(rows[key], name)) for key in ids] for name in SUMS]
    return FunctionColumns(np.array(ids, np.uint64), np.array(values).reshape(COUNTS, len(ids)))
