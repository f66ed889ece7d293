"""A share of CPU with its interval, clustered by process and window."""

from dataclasses import dataclass
from math import exp, log, sqrt

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
