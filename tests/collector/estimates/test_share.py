"""Shares: formulas at their edges, and coverage of the interval over simulated processes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pivotscope_collector.estimates.share import (
    MINIMUM_CLUSTERS,
    Moments,
    Whole,
    expit,
    logit,
    ratio,
    share,
    share_from_interval,
    shares,
    standard_error,
    t_quantile,
    wilson,
)

Matrix = NDArray[np.float64]


def moments(y: Matrix, x: Matrix) -> Moments:
    return Moments(
        float(y.sum()), float(x.sum()), float((y * y).sum()), float((x * y).sum()), float((x * x).sum()), len(x)
    )


def dwelling(seed: int, runs: int, windows: int, *, part: float, rate: int = 100, seconds: int = 10) -> Matrix:
    """Samples that hit a function in each window of each run, when it stays on for 50 ms at a time on average."""
    source = np.random.default_rng(seed)
    step = 1.0 / rate
    leave, enter = 1.0 / 0.05, part / (1.0 - part) / 0.05
    memory = np.exp(-(leave + enter) * step)
    on = source.random((runs, windows)) < part
    hits = np.zeros((runs, windows))
    for _ in range(rate * seconds):
        hits += on
        on = source.random((runs, windows)) < np.where(on, part + (1.0 - part) * memory, part * (1.0 - memory))
    return hits


@pytest.mark.parametrize(("windows", "part", "seed"), [(12, 0.2, 1), (24, 0.05, 2), (40, 0.1, 3)])
def test_clustered_interval_covers_where_a_naive_one_does_not(windows: int, part: float, seed: int) -> None:
    """600 runs, so the coverage seen has a standard error of 0.9 points at 95 %: 90 % is 5 of them away."""
    runs = 600
    hits = dwelling(seed, runs, windows, part=part)
    x = np.full(windows, 1000.0)
    clustered = [share(moments(row, x)) for row in hits]
    naive = [wilson(float(row.sum() / x.sum()), float(x.sum()), 1.96) for row in hits]
    covered = sum(one.low <= part <= one.high for one in clustered) / runs
    fooled = sum(low <= part <= high for low, high in naive) / runs
    assert covered >= 0.90
    assert fooled <= 0.60


def test_share_does_not_depend_on_the_rate() -> None:
    """The same truth at a tenth of the rate: both intervals hold it, and the slower one is wider."""
    fast = dwelling(4, 1, 60, part=0.3)[0]
    slow = dwelling(5, 1, 60, part=0.3, rate=10)[0]
    at_100 = share(moments(fast * 10e6, np.full(60, 1000 * 10e6)))
    at_10 = share(moments(slow * 100e6, np.full(60, 100 * 100e6)))
    assert at_100.low < 0.3 < at_100.high
    assert at_10.low < 0.3 < at_10.high
    assert at_10.logit_sd > at_100.logit_sd


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_never_and_always_seen_keep_an_interval(p: float) -> None:
    x = np.full(20, 100.0)
    seen = share(moments(x * p, x))
    assert seen.estimate == p
    assert 0.0 < seen.high - seen.low < 0.25
    assert 0.0 < seen.logit_sd < 10.0


def test_no_variance_counts_each_window_once() -> None:
    x = np.full(20, 100.0)
    seen = share(moments(x * 0.3, x))
    low, high = wilson(0.3, 20, t_quantile(19))
    assert seen.low == pytest.approx(low)
    assert seen.high == pytest.approx(high)


def test_nothing_sampled_says_nothing() -> None:
    nothing = share(Moments(0.0, 0.0, 0.0, 0.0, 0.0, 12))
    assert (nothing.estimate, nothing.low, nothing.high) == (0.0, 0.0, 1.0)


def test_one_window_says_almost_nothing() -> None:
    one = share(moments(np.array([30.0]), np.array([100.0])))
    assert one.low < 0.05
    assert one.high > 0.9
    assert one.insufficient


def test_too_few_windows_are_marked() -> None:
    x = np.full(MINIMUM_CLUSTERS - 1, 10.0)
    assert share(moments(x * 0.5, x)).insufficient
    x = np.full(MINIMUM_CLUSTERS, 10.0)
    assert not share(moments(x * 0.5, x)).insufficient


def test_moments_of_two_sets_add_up() -> None:
    source = np.random.default_rng(6)
    x = source.random(30) + 0.5
    y = x * source.random(30)
    parts = moments(y[:11], x[:11]) + moments(y[11:], x[11:])
    assert standard_error(parts) == pytest.approx(standard_error(moments(y, x)))
    assert ratio(parts) == pytest.approx(ratio(moments(y, x)))


def test_standard_error_is_the_textbook_one() -> None:
    x, y = np.array([10.0, 20.0, 30.0]), np.array([4.0, 11.0, 12.0])
    p = 27.0 / 60.0
    expected = np.sqrt(((y - p * x) ** 2).sum() * 3 / 2) / 60.0
    assert standard_error(moments(y, x)) == pytest.approx(float(expected))


@given(st.lists(st.tuples(st.floats(1.0, 100.0), st.floats(0.0, 1.0)), min_size=1, max_size=30))
def test_bounds_hold_the_estimate_and_stay_between_0_and_1(windows: list[tuple[float, float]]) -> None:
    x = np.array([x for x, _ in windows])
    y = x * np.array([part for _, part in windows])
    seen = share(moments(y, x))
    assert 0.0 <= seen.low <= seen.estimate <= seen.high <= 1.0
    assert seen.logit_sd >= 0.0


def test_a_share_with_given_bounds_keeps_them() -> None:
    made = share_from_interval(0.5, 0.4, 0.6, 31)
    assert made.interval.low == 0.4
    assert made.logit_sd == pytest.approx((logit(0.6) - logit(0.4)) / 2 / t_quantile(30))
    assert expit(logit(0.37)) == pytest.approx(0.37)


@given(
    st.lists(st.tuples(st.integers(0, 80), st.floats(0.0, 1.0)), max_size=30),
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6),
)
def test_shares_of_many_are_the_shares_of_each(windows: list[tuple[int, float]], parts: list[float]) -> None:
    x = np.array([count for count, _ in windows], np.float64)
    rows = [np.minimum(x, np.round(x * part * np.array([noise for _, noise in windows]))) for part in parts]
    each = [moments(y, x) for y in rows]
    whole = Whole(*(np.array([value]) for value in (each[0].x, each[0].xx, float(each[0].clusters))))
    y, yy, xy = (np.array([getattr(one, name) for one in each]) for name in ("y", "yy", "xy"))
    for one, estimate, low, high in zip(each, *shares(y, yy, xy, whole), strict=True):
        alone = share(one)
        assert (estimate, low, high) == pytest.approx((alone.estimate, alone.low, alone.high))
