"""Small pure parts: verdicts, Holm, speed-ups, stages, sample ratio, subtree."""

from math import inf

import numpy as np
import pytest
from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.impact.arm import Grid, ProcessCpu
from pivotscope_collector.impact.catalogue import METRICS
from pivotscope_collector.impact.effect import Effect, Refusal, Scale
from pivotscope_collector.impact.holm import holm
from pivotscope_collector.impact.pairing import Pairing
from pivotscope_collector.impact.question import Columns
from pivotscope_collector.impact.sample_ratio import sample_ratio
from pivotscope_collector.impact.speedup import Outcome, holds, measured_speedup
from pivotscope_collector.impact.stages import find_stages
from pivotscope_collector.impact.subtree import subtree_cpu
from pivotscope_collector.impact.verdict import Verdict, judge
from pivotscope_collector.scoring.candidate import Quantiles

BY_NAME = {metric.name: metric for metric in METRICS}
ZERO = Interval(0.0, 0.0, 0.0)


def effect(scale: Scale, estimate: float, low: float, high: float, also: Interval | None = None) -> Effect:
    return Effect(scale, Interval(estimate, low, high), ZERO, ZERO, 0.5, "", also=also)


@pytest.mark.parametrize(
    ("name", "scale", "interval", "verdict"),
    [
        ("cpu_per_request", Scale.RATIO, (0.5, 0.4, 0.6), Verdict.BETTER),
        ("cpu_per_request", Scale.RATIO, (1.5, 1.1, 1.9), Verdict.WORSE),
        ("cpu_per_request", Scale.RATIO, (1.0, 0.99, 1.01), Verdict.NO_DIFFERENCE),
        ("cpu_per_request", Scale.RATIO, (1.0, 0.8, 1.2), Verdict.INCONCLUSIVE),
        ("latency_p99", Scale.RATIO, (1.0, 0.5, inf), Verdict.INCONCLUSIVE),
        ("latency_p50", Scale.RATIO, (0.6, 0.3, 1.0), Verdict.BETTER),
        ("throughput", Scale.RATIO, (1.5, 1.1, 1.9), Verdict.BETTER),
        ("error_rate", Scale.DIFFERENCE, (0.0, -0.0005, 0.0005), Verdict.NO_DIFFERENCE),
        ("error_rate", Scale.DIFFERENCE, (0.0, -0.005, 0.005), Verdict.INCONCLUSIVE),
        ("error_rate", Scale.DIFFERENCE, (0.0, 0.0, 0.0), Verdict.NO_DIFFERENCE),
        ("error_rate", Scale.DIFFERENCE, (0.02, 0.01, 0.03), Verdict.WORSE),
    ],
)
def test_verdicts(name: str, scale: Scale, interval: tuple[float, float, float], verdict: Verdict) -> None:
    assert judge(effect(scale, *interval), BY_NAME[name]).verdict is verdict


def test_a_difference_is_judged_small_by_its_ratio() -> None:
    narrow = effect(Scale.DIFFERENCE, 0.01, -0.1, 0.1, Interval(1.0, 0.99, 1.01))
    assert judge(narrow, BY_NAME["revenue_per_request"]).verdict is Verdict.NO_DIFFERENCE


def test_refusals() -> None:
    metric = BY_NAME["cpu_per_request"]
    assert judge(Refusal("why", comparable=True), metric).verdict is Verdict.INCONCLUSIVE
    assert judge(Refusal("why", comparable=False), metric).verdict is Verdict.NOT_COMPARABLE


def test_holm() -> None:
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert found == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({}) == {}


@pytest.mark.parametrize(
    ("measured", "outcome"),
    [
        ((6.0, 5.0, 7.0), Outcome.HELD),
        ((9.0, 7.0, 12.0), Outcome.OPEN),
        ((2.0, 1.5, 2.4), Outcome.BELOW),
        ((30.0, 20.0, 40.0), Outcome.ABOVE),
    ],
)
def test_predictions_are_held_to_account(measured: tuple[float, float, float], outcome: Outcome) -> None:
    statement = holds(Quantiles(2.5, 5.0, 8.0), Interval(*measured))
    assert statement.outcome is outcome
    assert statement.holds is (outcome is Outcome.HELD)
    assert f"{measured[0]:.1f}×" in statement.text


def test_speedup_is_the_inverse_of_the_change() -> None:
    found = measured_speedup(effect(Scale.RATIO, 0.25, 0.2, 0.5))
    assert found == Interval(4.0, 2.0, 5.0)
    assert measured_speedup(None) is None
    assert measured_speedup(effect(Scale.DIFFERENCE, 1.0, 0.5, 2.0)) is None


def test_stages_in_bursty_traffic() -> None:
    random = np.random.default_rng(1)
    n = random.poisson(200, 60)
    share = np.repeat([0.1, 0.5, 1.0], [15, 25, 20])
    b = random.binomial(n, random.beta(40 * share + 1e-3, 40 * (1 - share) + 1e-3))
    assert find_stages((n - b).astype(float), b.astype(float)) == (15, 40)


def test_no_stages_where_there_are_none() -> None:
    random = np.random.default_rng(2)
    found = 0
    for _ in range(100):
        n = random.poisson(100, 60)
        b = random.binomial(n, random.beta(10, 10, 60))
        found += bool(find_stages((n - b).astype(float), b.astype(float)))
    assert found <= 5
    assert find_stages(np.zeros(10), np.zeros(10)) == ()


def pairing(strata: list[int]) -> Pairing:
    index, of = np.arange(len(strata)), np.array(strata)
    return Pairing(paired=True, a=index, b=index, strata_a=of, strata_b=of)


def test_sample_ratio_alarms_rarely_and_when_it_should() -> None:
    random = np.random.default_rng(3)
    stages, plan = [0] * 10 + [1] * 10, np.repeat([0.1, 0.5], 10)
    alarms = []
    for _ in range(300):
        n = random.poisson(300, 20)
        b = random.binomial(n, random.beta(30 * plan, 30 * (1 - plan)))
        found = sample_ratio((n - b).astype(float), b.astype(float), pairing(stages), (0.1, 0.5))
        assert found is not None
        alarms.append(not found.ok)
    assert np.mean(alarms) <= 0.015
    broken = sample_ratio(np.full(20, 520.0), np.full(20, 480.0), pairing([0] * 20), (0.5,))
    assert broken is not None
    assert not broken.ok


def rows(blocks: int, y: float, mode: str, cpu: float = 8e9) -> Columns:
    random = np.random.default_rng(4)
    seen = random.poisson(800, blocks).astype(float)
    beneath = random.poisson(y * 800, blocks).astype(float)
    period = 1e7
    return {
        "block": list(range(blocks)), "mode": [mode] * blocks, "windows": [1] * blocks, "samples": list(beneath),
        "cpu_ns": [cpu] * blocks, "delay_ns": [0.0] * blocks, "y": list(beneath * period), "x": list(seen * period),
        "yy": list((beneath * period) ** 2), "xy": list(beneath * seen * period**2), "xx": list((seen * period) ** 2),
    }  # fmt: skip


def joined(*parts: Columns) -> Columns:
    return {key: [value for part in parts for value in part[key]] for key in parts[0]}


GRID, POOL = Grid(0, 10_000_000_000, 40), ProcessCpu(np.full(40, 8.0))


def test_subtree_is_share_times_cpu() -> None:
    found = subtree_cpu(("f",), rows(40, 0.25, "active"), POOL, GRID)
    assert found is not None
    assert np.nansum(found.seconds) == pytest.approx(40 * 8.0 * 0.25, rel=0.05)
    assert found.outside == 1.0
    assert 0 < found.sampling_variance < 0.001


def test_native_code_that_lets_go_of_the_lock_is_not_saved() -> None:
    found = subtree_cpu(("f",), joined(rows(40, 0.02, "gil"), rows(40, 0.4, "active")), POOL, GRID)
    assert found is not None
    assert found.mode == "gil"
    assert np.nansum(found.seconds) * found.outside == pytest.approx(40 * 8.0 * 0.4, rel=0.1)
    assert found.outside_variance > 0
    same = subtree_cpu(("f",), joined(rows(40, 0.25, "gil"), rows(40, 0.25, "active")), POOL, GRID)
    assert same is not None
    assert same.outside == 1.0


def test_waiting_for_a_processor_is_not_cpu_under_the_lock() -> None:
    """Samples see 8 s of lock in each block of 5 s of CPU, for every thread waited as long as it ran."""
    seen = rows(40, 0.5, "gil", cpu=5e9)
    crowded = subtree_cpu(("f",), {**seen, "delay_ns": [5e9] * 40}, POOL, GRID)
    unaware = subtree_cpu(("f",), seen, POOL, GRID)
    assert crowded is not None
    assert unaware is not None
    assert np.nansum(unaware.seconds) == pytest.approx(40 * 8.0 * 0.5, rel=0.05)
    assert np.nansum(crowded.seconds) == pytest.approx(40 * 8.0 * 0.5 * 0.8, rel=0.05)


def test_nothing_sampled() -> None:
    assert subtree_cpu(("f",), rows(0, 0.1, "gil"), POOL, GRID) is None
    assert subtree_cpu(("f",), rows(3, 0.1, "gil"), None, GRID) is None
