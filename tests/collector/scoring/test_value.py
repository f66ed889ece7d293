"""The value model: Amdahl, the score's scale, priors, draws, settings."""

from math import exp, log

import numpy as np
import pytest
from pivotscope.profile.function import Function
from pivotscope.profile.language import Language
from pivotscope_collector.errors import UsageError
from pivotscope_collector.scoring.montecarlo import Stream, draw_movable, draw_share, draw_speedup, quantiles
from pivotscope_collector.scoring.priors import PRIORS, WorkClass, updated
from pivotscope_collector.scoring.score import score_of_share, score_of_value
from pivotscope_collector.scoring.settings import ScoringSettings
from pivotscope_collector.scoring.value import saved_share, service_speedup

ONE = np.ones(1)
ROOT = Function("shop", Language.PYTHON, "sales.py", "commission")


def test_deliveroo_round_trip() -> None:
    """17 times in the compute and 4 times overall mean a share of 0.80."""
    saved = saved_share(0.80 * ONE, ONE, 17.0 * ONE, 0.0 * ONE)
    assert service_speedup(saved)[0] == pytest.approx(4.0, abs=0.1)
    share = (1.0 - 1.0 / 4.0) / (1.0 - 1.0 / 17.0)
    assert share == pytest.approx(0.80, abs=0.01)
    assert service_speedup(saved_share(share * ONE, ONE, 17.0 * ONE, 0.0 * ONE))[0] == pytest.approx(4.0)


def test_more_than_amdahl_allows_cannot_be() -> None:
    """23.4 % of CPU made 12.5 times as fast: at most 1.27 times overall, 21.5 % of CPU."""
    saved = saved_share(0.234 * ONE, ONE, 12.5 * ONE, 0.0 * ONE)
    assert saved[0] == pytest.approx(0.215, abs=0.001)
    assert service_speedup(saved)[0] == pytest.approx(1.27, abs=0.01)


@pytest.mark.parametrize(("speedup", "part"), [(3.0, 0.67), (10.0, 0.90), (50.0, 0.98)])
def test_saving_saturates(speedup: float, part: float) -> None:
    assert saved_share(ONE, ONE, speedup * ONE, 0.0 * ONE)[0] == pytest.approx(part, abs=0.005)


def test_the_boundary_comes_off() -> None:
    assert saved_share(0.5 * ONE, ONE, 2.0 * ONE, 0.3 * ONE)[0] == pytest.approx(-0.05)


@pytest.mark.parametrize(
    ("value", "score"), [(-5.0, 0), (0.0, 0), (4000.0, 40), (40_000.0, 65), (1e6, 100), (1e9, 100)]
)
def test_scale_of_money(value: float, score: float) -> None:
    assert score_of_value(value * ONE)[0] == pytest.approx(score, abs=0.5)


@pytest.mark.parametrize(("part", "score"), [(0.0, 0), (0.001, 10), (0.01, 35), (0.1, 67), (1.0, 100)])
def test_scale_of_saved_share(part: float, score: float) -> None:
    assert score_of_share(part * ONE)[0] == pytest.approx(score, abs=0.5)


def test_priors_have_the_quantiles_of_their_evidence() -> None:
    expected = {
        WorkClass.NUMERIC: (12, 40, 130),
        WorkClass.STREAMING: (2.8, 5, 8.9),
        WorkClass.PARSING: (3, 10, 35),
        WorkClass.OBJECTS: (1.5, 3, 6),
        WorkClass.REMODELLED: (4, 12, 35),
        WorkClass.NATIVE: (0.6, 1, 1.7),
    }
    for work, bounds in expected.items():
        prior = PRIORS[work]
        seen = [exp(prior.mu + z * prior.sigma) for z in (-1.2816, 0.0, 1.2816)]
        assert seen == pytest.approx(bounds, rel=0.07)


def test_outcomes_pull_a_prior_and_narrow_it() -> None:
    assert updated(WorkClass.NUMERIC, ()) is PRIORS[WorkClass.NUMERIC]
    after = updated(WorkClass.NUMERIC, [10.0] * 6)
    assert log(10.0) < after.mu < PRIORS[WorkClass.NUMERIC].mu
    assert after.sigma < PRIORS[WorkClass.NUMERIC].sigma
    assert "6 finished" in after.source


def test_draws_follow_seed_and_identity() -> None:
    one, same = Stream(1, 500).draws("shop", ROOT), Stream(1, 500).draws("shop", ROOT)
    assert np.array_equal(one.share, same.share)
    other = Stream(1, 500).draws("billing", ROOT)
    assert not np.array_equal(one.share, other.share)
    assert abs(np.corrcoef(one.share, other.share)[0, 1]) < 0.15
    assert 0.35 < np.corrcoef(one.speedup, other.speedup)[0, 1] < 0.65


def test_drawn_quantities_have_the_spread_they_were_given() -> None:
    draws = Stream(2, 20_000).draws("shop", ROOT)
    share = draw_share(0.3, 0.2, draws.share)
    assert np.median(share) == pytest.approx(0.3, abs=0.005)
    assert draw_movable(0.9, 0.1, draws.movable).mean() == pytest.approx(0.81, abs=0.005)
    assert float(np.ptp(draw_movable(0.9, 0.0, draws.movable))) == 0.0
    speedup = draw_speedup([(1.0, {WorkClass.OBJECTS: 1.0})], PRIORS, draws.work, draws.speedup)
    assert quantiles(speedup).p50 == pytest.approx(3.0, abs=0.1)
    mixed = draw_speedup([(1.0, {WorkClass.OBJECTS: 0.5, WorkClass.NUMERIC: 0.5})], PRIORS, draws.work, draws.speedup)
    assert np.mean(mixed > 12) == pytest.approx(0.45, abs=0.03)


def test_the_slowest_part_of_a_unit_bounds_its_speedup() -> None:
    """Half its time at 40 times and half at 3 is not 20 times: 1 ÷ (0.5/40 + 0.5/3) is 5.6."""
    draws = Stream(3, 20_000).draws("shop", ROOT)
    halves = [(0.5, {WorkClass.NUMERIC: 1.0}), (0.5, {WorkClass.OBJECTS: 1.0})]
    assert quantiles(draw_speedup(halves, PRIORS, draws.work, draws.speedup)).p50 == pytest.approx(5.6, abs=0.2)


def test_settings_refuse_what_makes_no_sense() -> None:
    with pytest.raises(UsageError, match=r"rho=1\.5"):
        ScoringSettings(rho=1.5)
    with pytest.raises(UsageError, match="price=nan"):
        ScoringSettings(price=float("nan"))
    with pytest.raises(UsageError, match="finished"):
        ScoringSettings(finished={WorkClass.OBJECTS: (0.0,)})
