"""The fixed scale of scores: the same value has the same score next month.

With money: score = 100 · log(1 + v/100) ÷ log(1 + 1,000,000/100) for a value of v dollars saved a year for each
engineer-week, cut at 0 and 100. So 0 is nothing, 40 is 4,000 dollars (a week of the default cost pays back in a year),
65 is 40,000 and 100 a million or more.

Where core-hours are unknown there is no money, and the score is told from the part of the service's CPU that is saved
for each engineer-week, u: 100 · log(1 + u/0.001) ÷ log(1 + 1/0.001), cut likewise. So 10 is 0.1 %, 35 is 1 %, 67 is 10
%. The two scales are not comparable with each other; a plan says which one it used by whether its values are known.
"""

import numpy as np

from pivotscope_collector.scoring.montecarlo import Vector

VALUE_UNIT = 100.0
VALUE_TOP = 1_000_000.0
SHARE_UNIT = 0.001
SHARE_TOP = 1.0


def score_of_value(value: Vector) -> Vector:
    """0 to 100 from dollars a year ÷ engineer-week."""
    return _scale(value, VALUE_UNIT, VALUE_TOP)


def score_of_share(saved_a_week: Vector) -> Vector:
    """0 to 100 from saved share of the service's CPU ÷ engineer-week."""
    return _scale(saved_a_week, SHARE_UNIT, SHARE_TOP)


def _scale(x: Vector, unit: float, top: float) -> Vector:
    part = np.log1p(np.maximum(x, 0.0) / unit) / np.log1p(top / unit)
    return np.asarray(100.0 * np.clip(part, 0.0, 1.0), dtype=np.float64)
