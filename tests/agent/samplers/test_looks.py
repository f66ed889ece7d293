import asyncio
import os
import signal
import subprocess
import sys
from random import Random

import pytest
from pivotscope_agent.samplers.looks import Looks, pace, watch


def test_a_process_at_a_stop_is_seen_so() -> None:
    looks = Looks()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        looks.take(process.pid, os.getpid(), Random(1))
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        looks.take(process.pid, os.getpid(), Random(1))
        process.kill()
    assert (looks.count, looks.stopped) == (2, 1)
    assert looks.work_ns > 0


def test_looks_are_fewer_than_the_samplers_and_fewest_where_nothing_is_stopped() -> None:
    assert [pace(rate, stops=True) for rate in (1, 10, 100, 1000)] == [1.0, 2.5, 25.0, 50.0]
    assert pace(100, stops=False) == 0.5


async def test_looks_come_at_random_moments() -> None:
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
        await watch(take, 50.0, sleep, Random(1))
    assert sum(slept) == pytest.approx(20.0, rel=0.1)
    assert max(slept) > 4 * min(slept)


def test_running_threads_are_counted_though_only_some_are_read() -> None:
    """Four of forty sleepers' siblings never sleep; each look draws 15 of 44: ± 3 standard deviations are 0.8."""
    program = (
        "import threading, time, sys\n"
        "for _ in range(40): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "print('ready', flush=True)\n"
        "while True: pass"
    )
    looks, random = Looks(), Random(2)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for _ in range(200):
            looks.take(process.pid, os.getpid(), random)
        process.kill()
    assert looks.running / looks.count == pytest.approx(1.0, abs=0.2)
