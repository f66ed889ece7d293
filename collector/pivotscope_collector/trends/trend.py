"""The verdict on a series: since when it is as it is, whether it changes, and how large a change would have shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from pivotscope_collector.errors import TooMuchError
from pivotscope_collector.estimates.share import MINIMUM_CLUSTERS, Interval
from pivotscope_collector.trends.estimate import Estimates
from pivotscope_collector.trends.fit import Fit, Kind, Term, fit, least_segment
from pivotscope_collector.trends.season import seasons
from pivotscope_collector.trends.series import MOST_POINTS, Point, Series, series_of

LEAST_POINTS = 8
APPEARED = 4.0
"""Standard errors of the points before by which the level must exceed them for "it was not there"."""


class State(StrEnum):
    """Verdicts."""

    TOO_LITTLE = "too_little_data"
    NEW = "new"
    STEADY = "steady"
    HIGHER = "higher"
    LOWER = "lower"
    RISING = "rising"
    FALLING = "falling"


@dataclass(frozen=True, slots=True)
class Change:
    """A step, or a new slope, at `at`; it came between `earliest` and `latest`, all unix seconds.

    `before` and `after` are levels, free of season; of a slope, where it starts and where it has come to. `version` is
    the one first seen within those moments; empty where there is none.
    """

    kind: Kind
    at: int
    earliest: int
    latest: int
    before: Interval
    after: Interval
    version: str = ""


@dataclass(frozen=True, slots=True)
class Trend:
    """What a series says. Values are in the unit of its points; `slope` is a second.

    `since` is unix seconds of the change that the verdict is about, 0 where there is none. `detectable` is the size of
    a lasting step that would have been found in four of five cases. `seasons` were taken out. `effective_points` is
    how many independent points would say as much.
    """

    state: State
    points: int
    windows: int
    since: int = 0
    version: str = ""
    level: Interval | None = None
    slope: Interval | None = None
    changes: tuple[Change, ...] = ()
    appeared: int = 0
    appeared_with: str = ""
    detectable: float | None = None
    seasons: tuple[str, ...] = ()
    effective_points: float = 0.0


def judge(
    points: Sequence[Point], step: int, first_seen: int = 0, deployments: Mapping[str, int] | None = None
) -> Trend:
    """The verdict on points of `step` seconds.

    `first_seen` is when the quantity was ever seen first, `deployments` when each version was, within the range; both
    unix seconds. A quantity that was looked for in vain before it appeared is new, and judged from there on. Memory
    grows with the square of the points: raises TooMuchError for more than MOST_POINTS and one.
    """
    versions = deployments or {}
    ordered = sorted((point for point in points if point.windows > 0), key=lambda point: point.at)
    if len(ordered) > MOST_POINTS + 1:
        raise TooMuchError(f"{len(ordered)} points of {step} s to judge, at most {MOST_POINTS + 1}: take longer steps")
    absent = _absent(ordered, first_seen)
    series = series_of(ordered[absent:], step)
    appeared = ordered[absent].at if absent else 0
    came_with = _version(versions, appeared - step, appeared + step, appeared) if absent else ""
    if series.windows < MINIMUM_CLUSTERS or series.size < LEAST_POINTS:
        state = State.NEW if absent and series.windows >= MINIMUM_CLUSTERS else State.TOO_LITTLE
        level = _mean(series) if state is State.NEW else None
        return Trend(
            state, series.size, series.windows, since=appeared if level else 0, version=came_with, level=level,
            appeared=appeared, appeared_with=came_with,
        )  # fmt: skip
    columns, names = seasons(series)
    found = fit(series, columns)
    estimates = Estimates(found)
    changes = tuple(_change(found, estimates, term, versions) for term in found.terms)
    slope = Estimates(_sloped(found)).slope()
    state, since, version = _state(found, changes, slope, appeared, came_with)
    return Trend(
        state=state,
        points=series.size,
        windows=series.windows,
        since=since,
        version=version,
        level=_not_negative(estimates.level(series.size - 1)),
        slope=slope,
        changes=changes,
        appeared=appeared,
        appeared_with=came_with,
        detectable=estimates.detectable(),
        seasons=names,
        effective_points=estimates.effective_points,
    )


def _absent(ordered: Sequence[Point], first_seen: int) -> int:
    """How many points at the start looked for the quantity and did not find it; 0 where it was seen before them."""
    count = next((index for index, point in enumerate(ordered) if point.samples), 0)
    before = ordered[:count]
    if not before or first_seen < before[-1].at or sum(point.windows for point in before) < MINIMUM_CLUSTERS:
        return 0
    after = ordered[count : count + max(count, least_segment(len(ordered)))]
    level = float(np.mean([point.value for point in after]))
    window = float(np.mean([point.variance * point.windows for point in after]))
    error = float(np.sqrt(window / sum(point.windows for point in before)))
    return count if level > APPEARED * error else 0


def _mean(series: Series) -> Interval:
    weights = 1.0 / np.maximum(series.variances, 1e-300)
    mean = float(weights @ series.values / weights.sum())
    half = 2.0 / float(np.sqrt(weights.sum()))
    return Interval(mean, max(0.0, mean - half), mean + half)


def _sloped(found: Fit) -> Fit:
    """The fit with a slope at its end: its own, or one more term from the last step on."""
    if any(term.kind is Kind.SLOPE for term in found.terms):
        return found
    start = found.terms[-1].index if found.terms else 0
    start = min(start, found.series.size - 3)
    return replace(found, terms=(*found.terms, Term(Kind.SLOPE, start, start, start, 0.0)))


def _state(
    found: Fit, changes: tuple[Change, ...], slope: Interval, appeared: int, came_with: str
) -> tuple[State, int, str]:
    """The verdict, since when, and with which version."""
    sloped = [change for change in changes if change.kind is Kind.SLOPE]
    if sloped and (slope.low > 0.0 or slope.high < 0.0):
        last = sloped[-1]
        throughout = found.series.moment(0) >= last.at
        return (State.RISING if slope.estimate > 0.0 else State.FALLING), 0 if throughout else last.at, last.version
    stepped = [change for change in changes if change.kind is Kind.STEP]
    if stepped:
        last = stepped[-1]
        return (State.HIGHER if last.after.estimate > last.before.estimate else State.LOWER), last.at, last.version
    return (State.NEW, appeared, came_with) if appeared else (State.STEADY, 0, "")


def _change(found: Fit, estimates: Estimates, term: Term, versions: Mapping[str, int]) -> Change:
    series = found.series
    last = series.size - 1
    following = [other.index for other in found.terms if other.index > term.index]
    end = (following[0] - 1) if following else last
    before = estimates.level(term.index, without=term)
    after = estimates.level(max(term.index, end) if term.kind is Kind.SLOPE else term.index)
    at = series.moment(term.index)
    earliest, latest = series.moment(max(0, term.earliest - 1)), series.moment(min(last, term.latest))
    return Change(
        kind=term.kind,
        at=at,
        earliest=earliest,
        latest=latest,
        before=_not_negative(before),
        after=_not_negative(after),
        version=_version(versions, earliest - series.step, latest + series.step, at),
    )


def _version(versions: Mapping[str, int], earliest: int, latest: int, at: int) -> str:
    """The version first seen nearest to a moment, within its interval."""
    near = [(abs(seen - at), version) for version, seen in versions.items() if earliest <= seen <= latest]
    return min(near)[1] if near else ""


def _not_negative(interval: Interval) -> Interval:
    return Interval(max(0.0, interval.estimate), max(0.0, interval.low), max(0.0, interval.high))
