"""Hours of the day and days of the week, as regressors: so that like is held against like."""

import numpy as np
from numpy.typing import NDArray

from pivotscope_collector.trends.series import DAY, WEEK, FloatArray, Series

DAYS, WEEKS, WEEKENDS = 3, 2, 3
"""Days from which on hours of the day, weeks from which on days of the week, and weekend hours, are told apart."""

_THURSDAY = 4
"""1970 began on a Thursday; Monday is 1."""


def weekday(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 (Monday) to 6, in UTC."""
    return (at // DAY + _THURSDAY - 1) % 7


def seasons(series: Series) -> tuple[FloatArray, tuple[str, ...]]:
    """(points, columns) that sum to zero, and what they tell apart; no columns where the range is too short."""
    at = np.array([series.moment(index) for index in range(series.size)], dtype=np.int64)
    span = int(at[-1] - at[0]) + series.step if series.size else 0
    found: list[FloatArray] = []
    names: list[str] = []
    if series.step < DAY and span >= DAYS * DAY:
        slot = at % DAY // series.step
        found.append(_dummies(slot))
        names.append("hour of day")
        if span >= WEEKENDS * WEEK:
            found.append(_dummies(np.where(weekday(at) >= 5, slot, -1)))
    if series.step <= DAY and span >= WEEKS * WEEK:
        found.append(_dummies(weekday(at)))
        names.append("day of week")
    if not found:
        return np.zeros((series.size, 0)), ()
    return _independent(np.column_stack(found)), tuple(names)


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
