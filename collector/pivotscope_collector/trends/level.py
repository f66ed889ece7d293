"""How well points of one level know it, their likeness to their neighbours taken into account."""

from collections.abc import Sequence

import numpy as np

from pivotscope_collector.trends.estimate import Estimates
from pivotscope_collector.trends.fit import Fit
from pivotscope_collector.trends.noise import noise
from pivotscope_collector.trends.series import MOST_POINTS, Point, series_of
from pivotscope_collector.trends.trend import LEAST_POINTS


def half_width(points: Sequence[Point], step: int) -> float | None:
    """Half of the 95 % interval of the mean level; None for too few points to know their likeness."""
    series = series_of(list(points)[-MOST_POINTS:], step)
    if series.size < LEAST_POINTS or series.step <= 0:
        return None
    level = Estimates(Fit(series, np.ones((series.size, 1)), noise(series), ())).level(0)
    return (level.high - level.low) / 2.0
