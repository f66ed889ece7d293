import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from pivotscope_agent.samplers import sweep
from pivotscope_agent.targets import procfs


@pytest.fixture
def stopped() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "60"])
    os.kill(process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    yield process.pid
    process.kill()
    process.wait()


def test_sets_a_process_going_that_ran_before(stopped: int) -> None:
    assert sweep.is_stopped(stopped)
    assert sweep.release(stopped, was_stopped=False)
    assert procfs.stat(stopped).state != sweep.STOPPED
    assert not sweep.release(stopped, was_stopped=False)


def test_leaves_a_process_that_somebody_else_had_stopped(stopped: int) -> None:
    assert not sweep.release(stopped, was_stopped=True)
    assert sweep.is_stopped(stopped)


def test_a_process_that_ended_is_not_stopped() -> None:
    assert not sweep.is_stopped(4_194_304)
    assert not sweep.release(4_194_304, was_stopped=False)
