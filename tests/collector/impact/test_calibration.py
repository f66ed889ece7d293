"""Stated error rates, with fixed seeds. Bounds are the nominal rate plus two and a half Monte Carlo standard errors."""

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest
from pivotscope_collector.impact.arm import FloatArray, Histogram
from pivotscope_collector.impact.effect import Effect
from pivotscope_collector.impact.latency import quantile_ratio
from pivotscope_collector.impact.means import difference_of_means
from pivotscope_collector.impact.pairing import Pairing
from pivotscope_collector.impact.proportions import risk_difference
from pivotscope_collector.impact.rates import rate_ratio
from pivotscope_collector.impact.ratios import Quotient, ratio_of_sums
from pivotscope_collector.impact.serial import spread

RUNS = 300
ALPHA = 0.05
ALLOWED = ALPHA + 2.5 * sqrt(ALPHA * (1 - ALPHA) / RUNS)
COVERED = 0.93

Ar1 = Callable[..., FloatArray]


def pairing(blocks: int, *, paired: bool = True) -> Pairing:
    index, strata = np.arange(blocks), np.zeros(blocks, dtype=np.intp)
    return Pairing(paired, index, index, strata, strata)


def test_spread_of_autocorrelated_minutes(ar1: Ar1) -> None:
    for phi, blocks, allowed in ((0.0, 60, ALLOWED), (0.8, 60, ALLOWED), (0.8, 240, ALLOWED), (0.8, 30, 0.11)):
        series = ar1(np.random.default_rng(11), phi, blocks, RUNS)
        strata = np.zeros(blocks, dtype=np.intp)
        found = [spread(row / blocks, strata) for row in series]
        called = np.mean([abs(row.mean()) > f.half_width for row, f in zip(series, found, strict=True) if f])
        assert called <= allowed, (phi, blocks, called)


def test_what_is_not_done_would_cry_wolf(ar1: Ar1) -> None:
    """Two unpaired t tests over the same minutes, as the inflation that this package must not have."""
    series = ar1(np.random.default_rng(12), 0.8, 60, RUNS)
    naive = np.abs(series.mean(axis=1)) > 2.0 * series.std(axis=1, ddof=1) / sqrt(60)
    assert naive.mean() > 0.4


def cpu_arms(random: np.random.Generator, ar1: Ar1, change: float, *, common: bool) -> tuple[Quotient, Quotient]:
    level, cost = (ar1(random, 0.8, 60)[0] for _ in range(2))
    own = cost if common else ar1(random, 0.8, 60)[0]
    a = random.poisson(300 * np.exp(0.2 * level)).astype(float)
    b = random.poisson(60 * np.exp(0.2 * level)).astype(float)
    noise = np.exp(0.05 * random.standard_normal((2, 60)))
    return (
        Quotient(a * 0.01 * np.exp(0.1 * cost) * noise[0], a),
        Quotient(b * 0.01 * change * np.exp(0.1 * own) * noise[1], b),
    )


@pytest.mark.parametrize(("change", "paired"), [(1.0, True), (0.5, True), (1.0, False), (0.8, False)])
def test_cpu_per_request(ar1: Ar1, change: float, *, paired: bool) -> None:
    """Paired: what moves both arms cancels. Unpaired: each arm has its own autocorrelated minutes."""
    random = np.random.default_rng(13)
    inside = []
    for _ in range(RUNS):
        a, b = cpu_arms(random, ar1, change, common=paired)
        found = ratio_of_sums(a, b, pairing(60, paired=paired))
        assert isinstance(found, Effect)
        inside.append(found.change.low <= change <= found.change.high)
    assert np.mean(inside) >= (COVERED if paired else 1 - ALLOWED)


def test_error_rate_in_bursts(ar1: Ar1) -> None:
    random = np.random.default_rng(14)
    called = []
    for _ in range(RUNS):
        rate = 0.01 * np.exp(0.3 * ar1(random, 0.8, 60)[0])
        requests = random.poisson(200, (2, 60))
        errors = random.negative_binomial(2, 2 / (2 + requests * rate))
        a, b = (Quotient(errors[i].astype(float), requests[i].astype(float)) for i in range(2))
        found = risk_difference(a, b, pairing(60))
        assert isinstance(found, Effect)
        called.append(found.change.low > 0 or found.change.high < 0)
    assert np.mean(called) <= ALLOWED


def test_known_risk_difference_is_covered() -> None:
    random = np.random.default_rng(15)
    inside = []
    for _ in range(RUNS):
        requests = random.poisson(50, (2, 30)).astype(float)
        errors = random.binomial(requests.astype(int), np.array([[0.004], [0.02]])).astype(float)
        found = risk_difference(Quotient(errors[0], requests[0]), Quotient(errors[1], requests[1]), pairing(30))
        assert isinstance(found, Effect)
        inside.append(found.change.low <= 0.016 <= found.change.high)
    assert np.mean(inside) >= COVERED


@pytest.mark.parametrize("change", [1.0, 1.3])
def test_throughput_before_and_after(ar1: Ar1, change: float) -> None:
    random = np.random.default_rng(16)
    seconds = np.full(120, 60.0)
    inside = []
    for _ in range(RUNS):
        a = random.poisson(300 * np.exp(0.1 * ar1(random, 0.8, 120)[0])).astype(float)
        b = random.poisson(change * 300 * np.exp(0.1 * ar1(random, 0.8, 120)[0])).astype(float)
        found = rate_ratio(Quotient(a, seconds), Quotient(b, seconds), pairing(120, paired=False))
        assert isinstance(found, Effect)
        inside.append(found.change.low <= change <= found.change.high)
    assert np.mean(inside) >= 1 - ALLOWED


@pytest.mark.parametrize("change", [0.0, 0.4])
def test_revenue_per_request(ar1: Ar1, change: float) -> None:
    random = np.random.default_rng(17)
    inside = []
    for _ in range(RUNS):
        price = 4 * np.exp(0.1 * ar1(random, 0.8, 60)[0])
        requests = random.poisson(100, (2, 60)).astype(float)
        revenue = requests * np.stack((price, price + change)) + 10 * np.sqrt(requests) * random.standard_normal(
            (2, 60)
        )
        found = difference_of_means(Quotient(revenue[0], requests[0]), Quotient(revenue[1], requests[1]), pairing(60))
        assert isinstance(found, Effect)
        inside.append(found.change.low <= change <= found.change.high)
    assert np.mean(inside) >= COVERED


@pytest.mark.parametrize(("q", "change"), [(0.5, 1.0), (0.95, 1.0), (0.5, 0.8), (0.99, 0.7)])
def test_latency_quantiles(make_histogram: Callable[..., Histogram], ar1: Ar1, q: float, change: float) -> None:
    random = np.random.default_rng(18)
    inside, called = [], []
    for _ in range(60):
        median = 0.04 * np.exp(0.05 * ar1(random, 0.8, 40)[0])
        requests = random.poisson(40, (2, 40)).astype(float)
        a, b = make_histogram(random, requests[0], median), make_histogram(random, requests[1], change * median)
        found = quantile_ratio(a, b, pairing(40), q)
        assert isinstance(found, Effect)
        inside.append(found.change.low <= change <= found.change.high)
        called.append(found.change.low >= 1 or found.change.high <= 1)
    assert np.mean(inside) >= COVERED
    if change == 1.0:
        assert np.mean(called) <= ALPHA
