"""A quantity over time, and the length of a step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800

STEPS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, DAY, WEEK)
"""Steps that divide each other and, up to a day, the day; so hours of the day can be held against each other."""

MOST_POINTS = 168
"""A week of hours. More points than this would be known worse each, and say no more together.

A range that begins within a step has one more.
"""

PRIOR_WINDOWS = 8
"""How many windows the other points' windows count for in the variance of a point."""


@dataclass(frozen=True, slots=True)
class Point:
    """The quantity in one step: `at` is unix seconds of its start, `variance` that of sampling, from `windows`."""

    at: int
    value: float
    variance: float
    windows: int
    samples: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Points as columns in order of time. `times` counts steps from the first point; steps without data are missing."""

    step: int
    start: int
    times: FloatArray
    values: FloatArray
    variances: FloatArray
    windows: int

    @property
    def size(self) -> int:
        """How many points there are."""
        return int(self.values.size)

    def moment(self, index: int) -> int:
        """Unix seconds at which the point of that index starts."""
        return self.start + round(float(self.times[index])) * self.step


def choose_step(span: int) -> int:
    """The shortest step, in seconds, that makes at most MOST_POINTS points of a range of `span` seconds.

    One of STEPS, or some weeks.
    """
    return next((step for step in STEPS if span <= step * MOST_POINTS), least_multiple(STEPS[-1], span))


def least_multiple(step: int, span: int) -> int:
    """The smallest multiple of a step that makes at most MOST_POINTS points of a range of `span` seconds."""
    return step * max(1, -(-span // (step * MOST_POINTS)))


def series_of(points: list[Point], step: int) -> Series:
    """Columns of the points, which may come in any order, with moderated variances.

    Few windows tell a variance badly, and one that came out too small would outweigh all other points. So it is
    averaged with what the variance of one window, pooled over all points, makes of this number of windows; the pooled
    one counts as much as PRIOR_WINDOWS. Source: Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3(1), article 3. Points
    without a sample of the quantity say nothing about its variance.
    """
    ordered = sorted((point for point in points if point.windows > 0), key=lambda point: point.at)
    windows = np.array([point.windows for point in ordered], dtype=np.float64)
    measured = np.array([point.variance for point in ordered], dtype=np.float64)
    start = ordered[0].at if ordered else 0
    seen = np.array([point.samples > 0 for point in ordered], dtype=np.bool_)
    seen = seen if seen.any() else ~seen
    pooled = float((measured * windows**2)[seen].sum() / windows[seen].sum()) if ordered else 0.0
    own = np.where(seen, np.maximum(windows - 1.0, 0.0), 0.0)
    variances = (own * measured + PRIOR_WINDOWS * pooled / np.maximum(windows, 1.0)) / (own + PRIOR_WINDOWS)
    return Series(
        step=step,
        start=start,
        times=np.array([(point.at - start) / step for point in ordered], dtype=np.float64),
        values=np.array([point.value for point in ordered], dtype=np.float64),
        variances=variances,
        windows=int(windows.sum()),
    )
