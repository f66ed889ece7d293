"""CPU outside the interpreter lock: which functions it belongs to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pivotscope_collector.estimates.share import Vector, quotient

ROUNDING = 1e-9
"""Parts of CPU, and of the largest variance, that are not told from 0."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Sampled nanoseconds per nanosecond that samples can see, of the same functions, in one mode.

    The last axis is functions; there may be pools before it. `grain` is what one sample adds to the rate of its pool.
    """

    rate: Vector
    grain: Vector


@dataclass(frozen=True, slots=True)
class Beyond:
    """What active windows see of functions beyond gil windows, in parts of CPU, and its sampling variance."""

    excess: Vector
    variance: Vector

    @classmethod
    def of(cls, active: Rates, gil: Rates) -> "Beyond":
        """The excess of one over the other; counts are near Poisson, so variances add up as the rates do."""
        return cls(active.rate - gil.rate, active.rate * active.grain + gil.rate * gil.grain)


def split_self(beyond: Beyond, outside: Vector | float) -> Vector:
    """Split `outside`, the part of CPU outside the lock, over functions; the result is never negative and sums to it.

    With several pools `outside` is (pools, 1).

    The excess d of active over gil windows estimates each function's part, but with three errors: noise, sleeping
    threads that active windows take for running ones (they only ever add), and threads without a frame of the language
    (they are missing). What is known exactly is the sum. So this is the weighted least-squares estimate under
    that constraint: minimise Σ(d − o)² ÷ v with o ≥ 0 and Σo = `outside`, that is o = max(0, d − λ·v). Sleepers can
    take no more than they leave to others in proportion to how much they were seen; functions that only hold the lock
    have d ≈ 0 and get nothing while there is anything to choose from; a missing rest is spread by activity.
    """
    # Only how variances compare matters: as parts of the largest, none is too small to divide by.
    d, largest = beyond.excess, beyond.variance.max(axis=-1, initial=0.0, keepdims=True)
    v = beyond.variance / np.where(largest > 0.0, largest, 1.0)
    seen = v > ROUNDING
    breakpoints = np.where(seen, d / np.where(seen, v, 1.0), -np.inf)
    order = np.argsort(-breakpoints, axis=-1)
    sums_d, sums_v = (_ordered(np.where(seen, one, 0.0), order).cumsum(axis=-1) for one in (d, v))
    multipliers = (sums_d - outside) / np.where(sums_v > 0.0, sums_v, 1.0)
    inside = _ordered(breakpoints, order) > multipliers
    last = inside.shape[-1] - 1 - np.argmax(inside[..., ::-1], axis=-1, keepdims=True)
    found = np.where(seen, np.maximum(0.0, d - np.take_along_axis(multipliers, last, axis=-1) * v), 0.0)
    whole = found.sum(axis=-1, keepdims=True)
    there = (outside > ROUNDING) & (whole > 0.0)
    return np.asarray(np.where(there, found * (outside / np.where(there, whole, 1.0)), 0.0), dtype=np.float64)


def _ordered(values: Vector, order: NDArray[np.intp]) -> Vector:
    return np.take_along_axis(values, order, axis=-1)


def split_total(total: Beyond, own: Beyond, own_split: Vector, outside: Vector | float) -> Vector:
    """The part of `outside` beneath each function, itself included; a root gets all of it.

    Linear in the excess; never below the function's own part, never above `outside`.
    """
    whole = own.excess.sum(axis=-1, keepdims=True)
    spread = own.variance.sum(axis=-1, keepdims=True)
    # An excess beyond `outside` is shrunk to it: by what, is at most 1, however small both are.
    shrunk = total.excess * quotient(outside, np.maximum(whole, outside), 0.0)
    missing = quotient(total.variance, spread, 0.0) * (outside - whole)
    beneath = np.where(whole >= outside, shrunk, total.excess + missing)
    return np.asarray(np.clip(beneath, own_split, outside), dtype=np.float64)
