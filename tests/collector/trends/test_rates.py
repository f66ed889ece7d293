"""The stated rates, with fixed seeds and few series; `python -m tests.collector.trends.rates` takes many."""

from math import sqrt

import numpy as np
import pytest
from pivotscope_collector.trends.trend import judge

from tests.collector.trends.simulation import (
    ALARMS,
    NULLS,
    SLOPES,
    STEPS,
    Scenario,
    alarms,
    simulate,
    slopes,
    steps,
)

RUNS = 40


def _lower(rate: float, runs: int) -> float:
    """The rate less two Monte Carlo standard errors."""
    return rate - 2.0 * sqrt(rate * (1.0 - rate) / runs)


@pytest.mark.parametrize("case", NULLS)
def test_false_alarms(case: str) -> None:
    assert alarms(NULLS[case], RUNS, 11) <= ALARMS + 2.0 * sqrt(ALARMS * (1.0 - ALARMS) / RUNS)


@pytest.mark.parametrize("case", STEPS)
def test_steps_are_found_and_placed(case: str) -> None:
    scenario, size, power = STEPS[case]
    rates = steps(scenario, size, RUNS, 12)
    assert rates.found >= _lower(power, RUNS)
    assert rates.placed >= 0.93


@pytest.mark.parametrize("case", SLOPES)
def test_slopes_are_found(case: str) -> None:
    scenario, size, power = SLOPES[case]
    found, inside = slopes(scenario, size, RUNS, 13)
    assert found >= _lower(power, RUNS)
    assert inside >= 0.93


@pytest.mark.parametrize(("phi", "drift", "covered"), [(0.0, 0.0, 0.95), (0.8, 2.0, 0.93)])
def test_the_slope_of_a_steady_series_covers_none(phi: float, drift: float, covered: float) -> None:
    random = np.random.default_rng(14)
    scenario = Scenario(60, phi=phi, drift=drift)
    slope = [judge(simulate(random, scenario, lambda _: 30.0), 60).slope for _ in range(RUNS)]
    assert np.mean([found is not None and found.low <= 0.0 <= found.high for found in slope]) >= _lower(covered, RUNS)


def test_two_hundred_series_half_of_which_change() -> None:
    """Six weeks of days with weekends, drift and missing days; a step of five deviations."""
    scenario = Scenario(42, 86_400, phi=0.4, drift=0.7, season=2.0, missing=0.05)
    assert alarms(scenario, 100, 15) <= ALARMS
    rates = steps(scenario, 5.0, 100, 16)
    assert rates.found >= 0.95
    assert rates.placed >= 0.95


def test_what_is_not_done_would_cry_wolf() -> None:
    """The largest two-sample t over all places, in drift, at its level for independent points (Bonferroni)."""
    random = np.random.default_rng(17)
    called = 0
    for _ in range(RUNS):
        points = simulate(random, Scenario(60, phi=0.8, drift=2.0), lambda _: 30.0)
        values = np.array([point.value for point in points])
        parts = [(values[:cut], values[cut:]) for cut in range(4, values.size - 4)]
        called += max(abs(a.mean() - b.mean()) / sqrt(a.var() / a.size + b.var() / b.size) for a, b in parts) > 3.5
    assert called / RUNS > 0.5
