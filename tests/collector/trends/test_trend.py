"""Verdicts and their words on series that leave no doubt."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pivotscope_collector.errors import TooMuchError
from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.trends.fit import Kind
from pivotscope_collector.trends.season import seasons
from pivotscope_collector.trends.series import DAY, HOUR, MOST_POINTS, Point, choose_step, series_of
from pivotscope_collector.trends.trend import State, Trend, judge
from pivotscope_collector.trends.words import PER_REQUEST, SHARE, words

START = 1_793_577_600
"""A Monday, 00:00 UTC."""

Level = Callable[[int], float]


def points(level: Level, count: int, step: int, deviation: float = 0.001, windows: int = 100) -> list[Point]:
    random = np.random.default_rng(4)
    found = []
    for index in range(count):
        value = level(index)
        noisy = max(0.0, value + deviation * random.standard_normal()) if value else 0.0
        found.append(Point(START + index * step, noisy, deviation**2, windows, 100 if value else 0))
    return found


def _share(found: Trend, span: int) -> str:
    return words(found, SHARE, span)


def test_a_step_with_a_deployment() -> None:
    found = judge(
        points(lambda index: 0.031 if index < 40 else 0.05, 60, HOUR), HOUR, deployments={"2.3": START + 40 * HOUR}
    )
    assert (found.state, found.since, found.version) == (State.HIGHER, START + 40 * HOUR, "2.3")
    (change,) = found.changes
    assert change.kind is Kind.STEP
    assert change.earliest <= found.since <= change.latest
    assert change.after.low <= 0.05 <= change.after.high
    text = _share(found, 60 * HOUR)
    assert text.startswith("higher since version 2.3, 2026-11-03 16:00 UTC (between ")
    assert text.endswith("3.1 % → 5.0 % of the service's CPU, in one step")


def test_a_slope_within_the_range() -> None:
    found = judge(points(lambda index: 0.031 + max(0, index - 50) * 0.0004, 112, 6 * HOUR), 6 * HOUR)
    assert found.state is State.RISING
    assert abs(found.since - (START + 50 * 6 * HOUR)) < 2 * DAY
    assert found.seasons == ("hour of day", "day of week")
    text = _share(found, 28 * DAY)
    assert "3.1 % → 5.5 % of the service's CPU, +1.1 points a week (+1." in text


def test_a_slope_all_along() -> None:
    found = judge(points(lambda index: 0.05 - 0.0003 * index, 60, HOUR), HOUR)
    assert (found.state, found.since) == (State.FALLING, 0)
    assert _share(found, 60 * HOUR).startswith("falling throughout this range: 5.0 % → 3.2 %")
    assert "−0.72 points a day (−0.7" in _share(found, 60 * HOUR)


def test_steady_says_what_would_have_shown() -> None:
    found = judge(points(lambda _: 0.031, 60, 60), 60)
    assert found.state is State.STEADY
    assert "steady at 3.1 % of the service's CPU (3.1 to 3.1); a lasting change of 0." in _share(found, 3600)
    assert found.detectable is not None
    changed = judge(points(lambda index: 0.031 + 1.5 * found.detectable * (index >= 30), 60, 60), 60)  # type: ignore[operator]
    assert changed.state is State.HIGHER


def test_up_and_down_again() -> None:
    found = judge(points(lambda index: 0.03 + 0.02 * (20 < index < 50), 80, HOUR), HOUR)
    assert found.state is State.LOWER
    assert [round(change.after.estimate, 3) for change in found.changes] == [0.05, 0.03]


def test_new_since_a_version() -> None:
    series = points(lambda index: 0.0 if index < 20 else 0.05, 60, DAY)
    first = START + 20 * DAY
    found = judge(series, DAY, first_seen=first, deployments={"2.3": first, "2.4": first + 30 * DAY})
    assert (found.state, found.since, found.version) == (State.NEW, first, "2.3")
    assert _share(found, 60 * DAY).startswith("new since version 2.3, 2026-11-22 00:00 UTC: 5.0 % of the")
    again = judge(series, DAY, first_seen=START - 400 * DAY)
    assert again.state is State.HIGHER


def test_new_and_rising() -> None:
    level = lambda index: 0.0 if index < 20 else 0.02 + 0.001 * (index - 20)  # noqa: E731 - a level in a line
    found = judge(points(level, 60, DAY), DAY, first_seen=START + 20 * DAY)
    assert found.state is State.RISING
    assert _share(found, 60 * DAY).startswith("new since 2026-11-22 00:00 UTC; rising")


def test_too_little() -> None:
    assert _share(judge([], 60), 60) == "too little data: 0 windows of 8 needed"
    assert _share(judge(points(lambda _: 0.1, 3, 60, windows=1), 60), 60) == "too little data: 3 windows of 8 needed"
    few = judge(points(lambda _: 0.1, 5, 60), 60)
    assert (few.state, few.slope) == (State.TOO_LITTLE, None)
    assert _share(few, 60) == "too little data: 5 steps with windows of 8 needed"


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_a_series_that_never_varies(value: float) -> None:
    found = judge([Point(START + index * 60, value, 0.0, 5, 1) for index in range(30)], 60)
    assert found.state is State.STEADY


def test_requests_are_said_in_milliseconds() -> None:
    found = judge(points(lambda index: 0.004 if index < 30 else 0.006, 60, HOUR, deviation=1e-4), HOUR)
    assert "4.0 → 6.0 ms of CPU a request, in one step" in words(found, PER_REQUEST, 60 * HOUR)


def test_like_is_held_against_like() -> None:
    """A nightly batch job and quiet weekends are no news; one more of the nightly kind by day is."""
    hours = lambda index: 0.03 + 0.02 * (index % 24 in {2, 3}) - 0.01 * (index // 24 % 7 >= 5)  # noqa: E731
    three_weeks = [replace(point) for point in points(hours, 7 * 24, HOUR)]
    quiet = judge(three_weeks, HOUR)
    assert quiet.seasons == ("hour of day",)
    weeks = points(lambda index: 0.03 - 0.01 * (index % 7 >= 5), 42, DAY)
    assert judge(weeks, DAY).state is State.STEADY
    shifted = [replace(point, value=point.value + 0.005 * (point.at >= START + 20 * DAY)) for point in weeks]
    assert judge(shifted, DAY).since == START + 20 * DAY


def test_seasons_need_their_range() -> None:
    def columns(count: int, step: int) -> tuple[int, tuple[str, ...]]:
        found, names = seasons(series_of(points(lambda _: 0.1, count, step), step))
        return found.shape[1], names

    assert columns(60, 60) == (0, ())
    assert columns(48, HOUR) == (0, ())
    assert columns(72, HOUR) == (23, ("hour of day",))
    assert columns(14, DAY) == (6, ("day of week",))
    assert columns(84, 6 * HOUR) == (3 + 3 + 6, ("hour of day", "day of week"))


def test_seasons_need_groups_that_repeat() -> None:
    def names(apart: int, count: int) -> tuple[str, ...]:
        runs = [Point(START + index * apart, 0.1, 1e-6, 10, 100) for index in range(count)]
        return seasons(series_of(runs, HOUR))[1]

    assert names(25 * HOUR, 12) == ()
    assert names(25 * HOUR, 30) == ("day of week",)
    assert names(25 * HOUR, 60) == ("hour of day", "day of week")
    assert names(DAY, 30) == ("day of week",)


@pytest.mark.parametrize("count", [12, 24, 30])
def test_runs_at_another_hour_each_day_keep_their_noise(count: int) -> None:
    """One run every 25 hours: no hour is like another, and an hour's column would take its only point."""
    missed = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        values = 0.2 + 0.03 * random.standard_normal(count)
        found = judge([Point(START + i * 25 * HOUR, v, 9e-4, 10, 100) for i, v in enumerate(values.tolist())], HOUR)
        assert found.level is not None
        assert found.detectable is not None
        assert found.detectable > 0.02
        missed += not found.level.low <= 0.2 <= found.level.high
    assert missed <= 4


def test_few_windows_borrow_from_the_others() -> None:
    """A variance that came out too small by chance does not outweigh its neighbours."""
    made = [Point(START + 60 * i, 0.1, 0.01, 10, 1) for i in range(9)] + [Point(START + 540, 0.1, 1e-9, 2, 1)]
    series = series_of(made, 60)
    assert series.variances[-1] > series.variances[0]


def test_points_come_in_any_order_and_without_windows() -> None:
    made = points(lambda _: 0.03, 20, 60)
    mixed = [*made[::-1], Point(START + 21 * 60, 0.0, 0.0, 0, 0)]
    assert judge(mixed, 60) == judge(made, 60)


@pytest.mark.parametrize(
    ("span", "step"), [(3600, 60), (6 * HOUR, 300), (DAY, 900), (7 * DAY, HOUR), (30 * DAY, 6 * HOUR), (150 * DAY, DAY)]
)
def test_the_step_follows_the_range(span: int, step: int) -> None:
    assert choose_step(span) == step
    assert span / step <= 168


def test_long_ranges_have_steps_of_some_weeks() -> None:
    assert choose_step(3650 * DAY) == 4 * 7 * DAY


def test_too_many_points_are_refused() -> None:
    judge(points(lambda _: 0.03, MOST_POINTS + 1, 60), 60)
    with pytest.raises(TooMuchError, match="170 points of 60 s to judge, at most 169: take longer steps"):
        judge(points(lambda _: 0.03, MOST_POINTS + 2, 60), 60)


def test_intervals_never_fall_below_nothing() -> None:
    found = judge(points(lambda index: 0.0005 if index < 30 else 0.02, 60, 60), 60)
    assert found.changes[0].before == Interval(*(max(0.0, x) for x in _ends(found.changes[0].before)))


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.low, interval.high
