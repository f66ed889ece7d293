"""Hours of the day and days of the week, as regressors: so that like is held against like."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pivotscope_collector.trends.series import DAY, WEEK, FloatArray, Series

DAYS, WEEKS, WEEKENDS = 3, 2, 3
"""Days from which on hours of the day, weeks from which on days of the week, and weekend hours, are told apart."""

LEAST_LEFT = 8
"""Points beyond the columns of seasons, at least, that noise is known from."""

_THURSDAY = 4
"""1970 began on a Thursday; Monday is 1."""


def weekday(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 (Monday) to 6, in UTC."""
    return (at // DAY + _THURSDAY - 1) % 7


def seasons(series: Series) -> tuple[FloatArray, tuple[str, ...]]:
    """(points, columns) that sum to zero, and what they tell apart; none where the range is too short.

    A season is taken out only where its groups repeat: two points a column, and LEAST_LEFT more than columns. Else it
    would explain the noise, too. A group of one point may have a column: there is nothing to hold that point against.
    """
    columns = np.zeros((series.size, 0))
    names: list[str] = []
    for name, groupings in _groupings(series):
        for groups in groupings:
            more = _independent(np.column_stack((columns, _dummies(groups))))
            added = more.shape[1] > columns.shape[1]
            if not added or series.size - more.shape[1] < max(LEAST_LEFT, more.shape[1]):
                break
            columns = more
            names.append(name)
    return columns, tuple(dict.fromkeys(names))


def _groupings(series: Series) -> Iterator[tuple[str, list[NDArray[np.int64]]]]:
    """What the range is long enough to tell apart, and the groups of the points, from coarse to fine."""
    at = np.array([series.moment(index) for index in range(series.size)], dtype=np.int64)
    span = int(at[-1] - at[0]) + series.step if series.size else 0
    if series.step < DAY and span >= DAYS * DAY:
        slot = at % DAY // series.step
        weekend = [np.where(weekday(at) >= 5, slot, -1)] if span >= WEEKENDS * WEEK else []
        yield "hour of day", [slot, *weekend]
    if series.step <= DAY and span >= WEEKS * WEEK:
        yield "day of week", [weekday(at)]


def _dummies(groups: NDArray[np.int64]) -> FloatArray:
    """One column a group but the first, centred: the constant beside them stays the mean level."""
    kinds = np.unique(groups)[1:]
    columns = (groups[:, None] == kinds[None, :]).astype(np.float64)
    return np.asarray(columns - columns.mean(axis=0), dtype=np.float64)


def _independent(columns: FloatArray) -> FloatArray:
    """The columns that are no combination of those before them: missing hours may leave some without a case."""
    kept: list[FloatArray] = []
    basis = np.zeros((columns.shape[0], 0))
    for column in columns.T:
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        norm = float(np.linalg.norm(rest))
        if norm > 1e-8 * max(1.0, float(np.linalg.norm(column))):
            kept.append(column)
            basis = np.column_stack((basis, rest / norm))
    return np.column_stack(kept) if kept else np.zeros((columns.shape[0], 0))
