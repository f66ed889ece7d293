import asyncio
import os
import signal
import subprocess
from random import Random

import pytest
from pivotscope_agent.samplers.stops import PRIOR_WORK_NS, Looks, StopTime, watch

WINDOW_NS = 10_000_000_000


def seen(random: Random, part: float, work_ns: int, count: int = 500) -> Looks:
    """Looks at a process that is held for `part` of the time."""
    return Looks(count, sum(random.random() < part for _ in range(count)), work_ns)


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
        held = times.learn(Looks(500, 0, PRIOR_WORK_NS), WINDOW_NS, 0)
    assert held < 0.05 * PRIOR_WORK_NS


def test_never_longer_than_the_window() -> None:
    assert StopTime().learn(Looks(work_ns=50), 20, 50) == 20


def test_a_process_at_a_stop_is_seen_so() -> None:
    looks = Looks()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        looks.take(process.pid, os.getpid())
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        looks.take(process.pid, os.getpid())
        process.kill()
    assert (looks.count, looks.stopped) == (2, 1)
    assert looks.work_ns > 0


async def test_looks_come_at_random_at_half_the_rate() -> None:
    """1,000 looks at 50 a second: ± 3 standard deviations are 10 %."""
    slept: list[float] = []
    taken = 0

    def take() -> None:
        nonlocal taken
        taken += 1
        if taken == 1_000:
            raise asyncio.CancelledError

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    with pytest.raises(asyncio.CancelledError):
        await watch(take, 100, sleep, Random(1))
    assert sum(slept) == pytest.approx(20.0, rel=0.1)
    assert max(slept) > 4 * min(slept)
