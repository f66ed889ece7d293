from random import Random

import pytest
from pivotscope_agent.samplers.delay import RunDelay
from pivotscope_agent.samplers.looks import Looks

S = 1_000_000_000
WINDOW_NS = 4 * S


def looks(random: Random, running: float, count: int) -> Looks:
    return Looks(count, running=sum(random.random() < running for _ in range(count)))


def test_without_looks_the_kernels_count_stands() -> None:
    assert RunDelay().learn(Looks(), WINDOW_NS, 2 * S, 7, 40) == 7


def test_a_process_hardly_held_keeps_the_kernels_count() -> None:
    """10 Hz: forty windows of 20 looks are too few to move a count that can hardly be wrong."""
    delay, random = RunDelay(), Random(5)
    for _ in range(40):
        told = delay.learn(looks(random, 0.52, 20), WINDOW_NS, 2 * S, S // 50, 40)
    assert told / (2 * S) == pytest.approx(0.01, abs=0.012)


def test_looks_outweigh_the_count_where_the_process_is_held_often() -> None:
    """100 Hz: runnable for 65 % of the time, CPU for 60 %. 8,000 looks: ± 3 standard deviations are 2.7 points."""
    delay, random = RunDelay(), Random(9)
    for _ in range(40):
        told = delay.learn(looks(random, 0.65, 200), WINDOW_NS, round(2.4 * S), 0, 400)
    assert told / (2.4 * S) == pytest.approx(0.05 / 0.6, abs=0.027)


def test_several_threads() -> None:
    delay = RunDelay()
    for _ in range(40):
        told = delay.learn(Looks(200, running=440.0), WINDOW_NS, 8 * S, 0, 400)
    assert told / (8 * S) == pytest.approx(0.1, abs=0.02)


def test_never_negative() -> None:
    assert RunDelay().learn(Looks(200, running=10.0), WINDOW_NS, 3 * S, 0, 400) == 0


def test_a_window_without_cpu_has_no_delay() -> None:
    assert RunDelay().learn(Looks(20), WINDOW_NS, 0, 0, 40) == 0
