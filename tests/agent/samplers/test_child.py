"""Samplers that do not behave, and what is left of them: nothing."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.samplers import sweep
from pivotscope_agent.samplers.child import MARK, Child
from pivotscope_agent.targets import procfs

START = """
import subprocess, sys, time
from pathlib import Path
from pivotscope_agent import workdir
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.samplers.child import Child
workdir._MEMORY = Path(sys.argv[1])
folder = workdir.create()
child = Child.start(sys.argv[2:], folder / "7-0.out", SystemClock())
print(child.pid, folder, flush=True)
time.sleep(60)
"""


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return procfs.stat(pid).state not in "ZX"
    except Exception:  # noqa: BLE001 - gone, in whichever way
        return False


async def test_what_a_sampler_started_ends_with_it(tmp_path: Path) -> None:
    child = Child.start(shell("sleep 60 & echo $!; exit 3"), tmp_path / "7-0.out", SystemClock())
    ending = await child.wait(20, 1)
    assert ending.status == 3
    until(lambda: not is_running(int(ending.log)))


async def test_a_sampler_that_does_not_listen_is_killed_with_what_it_started(tmp_path: Path) -> None:
    script = "trap '' INT; sleep 60 & echo $!; wait; wait"
    child = Child.start(shell(script), tmp_path / "7-0.out", SystemClock())
    until(lambda: (tmp_path / "7-0.log").read_text().strip())
    ending = await child.wait(0.1, 0.2)
    assert (ending.killed, ending.status) == (True, -signal.SIGKILL)
    until(lambda: not is_running(int(ending.log)))


async def test_a_sampler_that_prints_without_end_is_ended_by_the_kernel(tmp_path: Path) -> None:
    child = Child.start(["/usr/bin/env", "yes"], tmp_path / "7-0.out", SystemClock())
    ending = await child.wait(30, 1)
    assert ending.status == -signal.SIGXFSZ
    assert len(ending.log) <= 64 << 10
    assert os.listdir(tmp_path) == []  # noqa: PTH208


async def test_a_sampler_that_cannot_be_followed_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child.start(["/bin/sleep", "60"], tmp_path / "7-0.out", SystemClock())

    def no_handle(_: int) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", no_handle)
    with pytest.raises(OSError, match="Too many"):
        await child.wait(1, 1)
    assert not is_running(child.pid)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Callable[..., tuple["subprocess.Popen[str]", int, Path]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*command: str) -> tuple["subprocess.Popen[str]", int, Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(tmp_path), *command], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        pid, folder = process.stdout.readline().split()
        return process, int(pid), Path(folder)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_sampler_dies_with_a_killed_agent(agent: Callable[..., tuple["subprocess.Popen[str]", int, Path]]) -> None:
    process, sampler, _ = agent("/bin/sleep", "60")
    assert is_running(sampler)
    process.kill()
    until(lambda: not is_running(sampler))


def test_what_outlives_a_killed_agent_is_swept_by_the_next(
    agent: Callable[..., tuple["subprocess.Popen[str]", int, Path]],
) -> None:
    """A sampler's own child does not know that the agent died, and a program with capabilities is not told."""
    process, sampler, folder = agent(*shell("sleep 60 & sleep 60"))
    until(lambda: len(sweep.samplers_of(folder)) == 3)
    process.kill()
    until(lambda: not is_running(sampler))
    left = sweep.samplers_of(folder)
    assert len(left) == 2
    agent("/bin/sleep", "60")
    assert [pid for pid in left if is_running(pid)] == []
    assert not folder.exists()


def test_the_folder_of_a_living_agent_is_left_alone(
    agent: Callable[..., tuple["subprocess.Popen[str]", int, Path]],
) -> None:
    _, sampler, folder = agent("/bin/sleep", "60")
    agent("/bin/sleep", "60")
    assert folder.exists()
    assert is_running(sampler)


def test_a_process_that_a_dead_agents_sampler_left_stopped_goes_on(
    agent: Callable[..., tuple["subprocess.Popen[str]", int, Path]],
) -> None:
    process, _, folder = agent("/bin/sleep", "60")
    with subprocess.Popen(["/bin/sleep", "60"]) as held, subprocess.Popen(["/bin/sleep", "60"]) as other:
        for one in (held, other):
            os.kill(one.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, one.pid, os.WSTOPPED)
        (folder / f"{held.pid}-3.log").touch()
        process.kill()
        process.wait()
        agent("/bin/sleep", "60")
        states = procfs.stat(held.pid).state, procfs.stat(other.pid).state
        held.kill()
        other.kill()
    assert states == ("S", "T")


def test_samplers_are_known_by_their_environment_or_output(tmp_path: Path) -> None:
    marked = {MARK: str(tmp_path)}
    command = f"sleep 60 & exec {shlex.quote(sys.executable)} -c 'import time; time.sleep(60)' {tmp_path}/7-0.out"
    with (
        subprocess.Popen(shell(command), start_new_session=True) as named,
        subprocess.Popen(["/bin/sleep", "60"], env=marked) as other,
        subprocess.Popen(["/bin/sleep", "60"]) as stranger,
    ):
        until(lambda: set(sweep.samplers_of(tmp_path)) == {named.pid, other.pid})
        assert sweep.end_samplers(tmp_path) == 2
        assert (named.wait(), other.wait(), stranger.poll()) == (-9, -9, None)
        os.killpg(named.pid, signal.SIGKILL)
        stranger.kill()
