from random import Random

import pytest
from pivotscope_agent.samplers.looks import Looks
from pivotscope_agent.samplers.stops import PRIOR_WORK_NS, StopTime

WINDOW_NS = 10_000_000_000


def seen(random: Random, part: float, work_ns: int, count: int = 500) -> Looks:
    """Looks at a process that is held for `part` of the time."""
    return Looks(count, sum(random.random() < part for _ in range(count)), work_ns=work_ns)


def test_without_looks_the_process_is_held_while_the_sampler_works() -> None:
    assert StopTime().learn(Looks(work_ns=7_000_000), WINDOW_NS, 5_000_000) == 7_000_000
    assert StopTime().learn(Looks(), WINDOW_NS, 5_000_000) == 5_000_000


def test_looks_teach_the_factor() -> None:
    """25 looks of 1,000 found it stopped: ± 3 standard deviations are 2.5 % ± 0.24 points after forty windows."""
    times, random = StopTime(), Random(7)
    for _ in range(40):
        held = times.learn(seen(random, 0.025, 100_000_000), WINDOW_NS, 90_000_000)
    assert held / WINDOW_NS == pytest.approx(0.025, abs=0.0035)


def test_the_factor_serves_another_rate() -> None:
    times, random = StopTime(), Random(3)
    for _ in range(60):
        times.learn(seen(random, 0.05, 200_000_000), WINDOW_NS, 0)
    assert times.learn(Looks(work_ns=20_000_000), WINDOW_NS, 0) / WINDOW_NS == pytest.approx(0.005, rel=0.15)


def test_a_sampler_that_holds_nobody_is_told_apart_from_none_seen_yet() -> None:
    times = StopTime()
    for _ in range(50):
        held = times.learn(Looks(500, work_ns=PRIOR_WORK_NS), WINDOW_NS, 0)
    assert held < 0.05 * PRIOR_WORK_NS


def test_never_longer_than_the_window() -> None:
    assert StopTime().learn(Looks(work_ns=50), 20, 50) == 20
