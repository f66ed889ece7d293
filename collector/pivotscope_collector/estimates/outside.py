"""CPU outside the interpreter lock: which functions it belongs to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

ROUNDING = 1e-9
"""Parts of CPU, and of the largest variance, that are not told from 0."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Sampled nanoseconds per nanosecond that samples can see, of the same functions, in active and in gil windows.

    `active_cpu` and `gil_cpu` are that time, the CPU of those windows and the delay of their threads: they say how much
    each rate is to be trusted.
    """

    active: Vector
    gil: Vector
    active_cpu: float
    gil_cpu: float

    @property
    def excess(self) -> Vector:
        """What active windows see beyond gil windows."""
        return self.active - self.gil

    @property
    def variance(self) -> Vector:
        """Sampling variance of the excess, up to the common factor of one period (counts are near Poisson)."""
        return self.active / self.active_cpu + self.gil / self.gil_cpu


def split_self(rates: Rates, outside: float) -> Vector:
    """Split `outside`, the part of CPU outside the lock, over functions; the result is never negative and sums to it.

    The excess d of active over gil windows estimates each function's part, but with three errors: noise, sleeping
    threads that active windows take for running ones (they only ever add), and threads without a frame of the language
    (they are missing). What is known exactly is the sum. So this is the weighted least-squares estimate under
    that constraint: minimise Σ(d − o)² ÷ v with o ≥ 0 and Σo = `outside`, that is o = max(0, d − λ·v). Sleepers can
    take no more than they leave to others in proportion to how much they were seen; functions that only hold the lock
    have d ≈ 0 and get nothing while there is anything to choose from; a missing rest is spread by activity.
    """
    d, v = rates.excess, rates.variance
    largest = float(v.max(initial=0.0))
    seen = v > ROUNDING * largest
    result = np.zeros_like(d)
    if outside <= ROUNDING or not seen.any():
        return result
    breakpoints = d[seen] / v[seen]
    order = np.argsort(-breakpoints)
    sums_d, sums_v = np.cumsum(d[seen][order]), np.cumsum(v[seen][order])
    multipliers = (sums_d - outside) / sums_v
    inside = breakpoints[order] > multipliers
    last = int(np.flatnonzero(inside)[-1])
    result[seen] = np.maximum(0.0, d[seen] - multipliers[last] * v[seen])
    return np.asarray(result * (outside / result.sum()), dtype=np.float64)


def split_total(total: Rates, own: Rates, own_split: Vector, outside: float) -> Vector:
    """The part of `outside` beneath each function, itself included; a root gets all of it.

    Linear in the excess; never below the function's own part, never above `outside`.
    """
    whole = float(own.excess.sum())
    if whole >= outside:
        beneath = total.excess * (outside / whole) if whole > 0.0 else np.zeros_like(own_split)
    else:
        spread = float(own.variance.sum())
        beneath = total.excess + (outside - whole) * (total.variance / spread if spread > 0.0 else 0.0)
    return np.asarray(np.clip(beneath, own_split, outside), dtype=np.float64)
