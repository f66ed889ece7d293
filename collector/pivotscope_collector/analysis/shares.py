"""Intervals of shares that come from a file, where no windows are known."""

from collections.abc import Sequence
from dataclasses import dataclass

from pivotscope_collector.estimates.share import (
    MINIMUM_CLUSTERS,
    Moments,
    Share,
    share,
    share_from_interval,
    t_quantile,
    wilson,
)

DESIGN_EFFECT = 11.3
"""How many samples of one file are worth as much as an independent one.

Samples close in time are not independent: at 100 Hz and functions that dwell 50 ms, the 95 % interval of independent
samples was seen to cover 44 %. Coverage of 44 % means that it was 0.583 ÷ 1.96 as wide as it should be, so the variance
is 11.3 times larger. A file does not say how long functions dwell: this is the cautious case.
"""

MOST_OVERHEAD = 0.75
"""No more than this part of a profile's time is taken to be the profiler's own."""


@dataclass(frozen=True, slots=True)
class Part:
    """A function's weight in one profile, out of the whole, and the most that the profiler itself added to each."""

    weight: float
    whole: float
    observations: int
    overhead: float = 0.0
    whole_overhead: float = 0.0


def sampled_share(parts: Sequence[Part]) -> Share:
    """The pooled share over files. Each of 8 or more files is a cluster; else the design effect widens the interval."""
    if len(parts) >= MINIMUM_CLUSTERS:
        return share(_moments(parts))
    whole = sum(part.whole for part in parts)
    if whole <= 0.0:
        return share_from_interval(0.0, 0.0, 1.0, 0)
    estimate = min(1.0, sum(part.weight for part in parts) / whole)
    effective = sum(part.observations for part in parts) / DESIGN_EFFECT
    clusters = int(effective)
    if clusters < 1:
        return share_from_interval(estimate, 0.0, 1.0, clusters)
    low, high = wilson(estimate, effective, t_quantile(clusters - 1) if clusters > 1 else t_quantile(1))
    return share_from_interval(estimate, low, high, clusters)


def timed_share(parts: Sequence[Part]) -> Share:
    """The pooled share over deterministic profiles.

    Each call was timed, so there is no sampling error; but timing costs, and functions that make many calls seem dearer
    than they are. One bound is the share as reported, the other the share with the most that the profiler may have
    added taken off everywhere. What another run with other data would show is not in the interval.
    """
    whole = sum(part.whole for part in parts)
    if whole <= 0.0:
        return share_from_interval(0.0, 0.0, 1.0, 0)
    weight = min(whole, sum(part.weight for part in parts))
    added = sum(part.whole_overhead for part in parts)
    scale = min(1.0, MOST_OVERHEAD * whole / added) if added > 0.0 else 0.0
    left = max(0.0, weight - scale * sum(part.overhead for part in parts))
    corrected = min(1.0, left / (whole - scale * added))
    reported = weight / whole
    calls = sum(part.observations for part in parts)
    return share_from_interval(reported, min(reported, corrected), max(reported, corrected), calls)


def _moments(parts: Sequence[Part]) -> Moments:
    return Moments(
        y=sum(part.weight for part in parts),
        x=sum(part.whole for part in parts),
        yy=sum(part.weight**2 for part in parts),
        xy=sum(part.weight * part.whole for part in parts),
        xx=sum(part.whole**2 for part in parts),
        clusters=len(parts),
    )
