"""A share of CPU with its interval, clustered by process and window."""

from dataclasses import dataclass
from functools import cache
from math import exp, inf, log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Vector = NDArray[np.float64]

Z = 1.96
"""Standard deviations of a 95 % interval."""
MINIMUM_CLUSTERS = 8
"""Below this many windows the clustered variance is not to be trusted (evidence: insufficient data)."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over windows of x (sampled nanoseconds of all functions) and y (of one function)."""

    y: float
    x: float
    yy: float
    xy: float
    xx: float
    clusters: int

    def __add__(self, other: "Moments") -> "Moments":
        """Moments of both sets of windows together."""
        return Moments(
            self.y + other.y,
            self.x + other.x,
            self.yy + other.yy,
            self.xy + other.xy,
            self.xx + other.xx,
            self.clusters + other.clusters,
        )


@dataclass(frozen=True, slots=True)
class Whole:
    """All functions of pools over their windows: sums of x and of its squares, and how many windows there are."""

    x: Vector
    xx: Vector
    clusters: Vector

    @property
    def sampled(self) -> NDArray[np.bool_]:
        """Pools that anything is known of."""
        return (self.clusters >= 1.0) & (self.x > 0.0)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval; the unit is the holder's."""

    estimate: float
    low: float
    high: float

    def scaled(self, factor: float) -> "Interval":
        """The interval of `factor` (not negative) times the quantity."""
        return Interval(self.estimate * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Share:
    """A share between 0 and 1: estimate, 95 % interval, and its standard deviation on the logit scale."""

    estimate: float
    low: float
    high: float
    logit_sd: float
    clusters: int

    @property
    def insufficient(self) -> bool:
        """Whether there are too few windows for the interval to be trusted."""
        return self.clusters < MINIMUM_CLUSTERS

    @property
    def interval(self) -> Interval:
        """Estimate and bounds alone."""
        return Interval(self.estimate, self.low, self.high)


def ratio(moments: Moments) -> float:
    """The pooled share Σy ÷ Σx; 0 where nothing was sampled."""
    return min(1.0, moments.y / moments.x) if moments.x > 0 else 0.0


def logit(p: float) -> float:
    """Log odds of p in (0, 1)."""
    return log(p / (1.0 - p))


def expit(z: float) -> float:
    """The p whose log odds are z."""
    return 1.0 / (1.0 + exp(-z)) if z >= 0 else exp(z) / (1.0 + exp(z))


def residual_sum(moments: Moments, p: float) -> float:
    """Σ(y − p·x)² over the windows, from their moments."""
    return max(0.0, moments.yy - 2.0 * p * moments.xy + p * p * moments.xx)


def standard_error(moments: Moments) -> float:
    """Linearised standard error of the ratio Σy ÷ Σx with windows as clusters, n ÷ (n − 1) corrected.

    Source: Cochran, Sampling Techniques, 3rd ed., section 6.4 (ratio estimate).
    """
    n = moments.clusters
    if n < 2 or moments.x <= 0:
        return float("inf")
    p = ratio(moments)
    return sqrt(residual_sum(moments, p) * n / (n - 1)) / moments.x


def share(moments: Moments) -> Share:
    """The share Σy ÷ Σx with its 95 % interval, clustered by window.

    The interval is symmetric on the logit scale, so that it stays within (0, 1), with Student's t on clusters − 1
    degrees of freedom. Where the linearised variance vanishes (never seen, always seen, the same in every window) it
    says nothing about the next window: then each window counts as one observation of a binomial and Wilson's interval
    is taken with the same t. Source for the effective sample size: Korn and Graubard, Survey Methodology 24 (1998),
    193-201; for the interval: Wilson, JASA 22 (1927), 209-212. With nothing sampled the interval is (0, 1).
    """
    n = moments.clusters
    if n < 1 or moments.x <= 0:
        return Share(0.0, 0.0, 1.0, inf, n)
    p = ratio(moments)
    t = t_quantile(n - 1) if n > 1 else t_quantile(1)
    error = standard_error(moments)
    if n > 1 and error > 1e-12 and 0.0 < p < 1.0:
        sd = error / (p * (1.0 - p))
        centre = logit(p)
        return Share(p, expit(centre - t * sd), expit(centre + t * sd), sd, n)
    low, high = wilson(p, n, t)
    return Share(p, low, high, logit_spread(low, high) / t, n)


def ratios(y: Vector, whole: Whole) -> Vector:
    """The estimates of `shares` alone."""
    sampled = whole.sampled
    return np.where(sampled, np.minimum(1.0, y / np.where(sampled, whole.x, 1.0)), 0.0)


def shares(y: Vector, yy: Vector, xy: Vector, whole: Whole) -> tuple[Vector, Vector, Vector]:
    """`share` of many functions of one or more pools: estimates, lower and upper bounds.

    The last axis of `y` is functions; numbers of `whole` are those of its pool, and broadcast.
    """
    n = np.maximum(1.0, whole.clusters)
    sampled = whole.sampled
    x = np.where(sampled, whole.x, 1.0)
    p = ratios(y, whole)
    t = stdtrit(np.maximum(1.0, n - 1.0), 0.975)
    low, high = _wilson_bounds(p, n, t)
    residuals = np.maximum(0.0, yy - 2.0 * p * xy + p * p * whole.xx)
    error = np.sqrt(residuals * n / np.maximum(1.0, n - 1.0)) / x
    usual = (n > 1.0) & (error > 1e-12) & (p > 0.0) & (p < 1.0)
    q = np.where(usual, p, 0.5)
    centre, spread = np.log(q / (1.0 - q)), t * error / (q * (1.0 - q))
    low = np.where(usual, _expit(centre - spread), np.where(sampled, low, 0.0))
    high = np.where(usual, _expit(centre + spread), np.where(sampled, high, 1.0))
    return p, low, high


def share_from_interval(estimate: float, low: float, high: float, clusters: int) -> Share:
    """A share whose bounds are known already, from a sum over pools or another estimator."""
    bounded = Interval(*(min(1.0, max(0.0, value)) for value in (estimate, low, high)))
    t = t_quantile(clusters - 1) if clusters > 1 else t_quantile(1)
    return Share(bounded.estimate, bounded.low, bounded.high, logit_spread(bounded.low, bounded.high) / t, clusters)


def share_of(cpu: Interval, whole: float, clusters: int) -> Share:
    """The share of a quantity with known bounds in a whole; without a whole nothing is known."""
    if whole <= 0.0:
        return share_from_interval(0.0, 0.0, 1.0, clusters)
    return share_from_interval(cpu.estimate / whole, cpu.low / whole, cpu.high / whole, clusters)


@cache
def t_quantile(degrees: float, probability: float = 0.975) -> float:
    """Student's t at a probability; 97.5 % unless told otherwise."""
    return float(stdtrit(degrees, probability))


def wilson(p: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's score interval for a proportion p of n independent observations, z standard deviations wide."""
    shrink = 1.0 + z * z / n
    centre = (p + z * z / (2.0 * n)) / shrink
    half = z * sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n)) / shrink
    return max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half))


def logit_spread(low: float, high: float) -> float:
    """Half the width of an interval on the logit scale; bounds at 0 or 1 are read as one in a million."""
    edge = 1e-6
    return (logit(min(1.0 - edge, max(edge, high))) - logit(min(1.0 - edge, max(edge, low)))) / 2.0


def quotient(part: Vector | float, whole: Vector, otherwise: float | Vector) -> Vector:
    """`part` ÷ `whole`, and `otherwise` where the whole is not positive."""
    return np.where(whole > 0.0, part / np.where(whole > 0.0, whole, 1.0), otherwise)


def quadrature(*errors: Vector) -> Vector:
    """The error of a sum of independent quantities with these errors."""
    return np.sqrt(sum(error * error for error in errors))


def _wilson_bounds(p: Vector, n: Vector, z: Vector) -> tuple[Vector, Vector]:
    shrink = 1.0 + z * z / n
    centre = (p + z * z / (2.0 * n)) / shrink
    half = z * np.sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n)) / shrink
    return np.maximum(0.0, np.minimum(p, centre - half)), np.minimum(1.0, np.maximum(p, centre + half))


def _expit(z: Vector) -> Vector:
    # One way for each sign, so that no exponential overflows.
    small = np.exp(-np.abs(z))
    return np.where(z >= 0.0, 1.0 / (1.0 + small), small / (1.0 + small))
