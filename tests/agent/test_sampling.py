import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Outcome, Window
from pivotscope_agent.pipeline.control import DesiredState, ServiceState
from pivotscope_agent.samplers import programs
from pivotscope_agent.samplers.delay import RunDelay
from pivotscope_agent.samplers.looks import Looks
from pivotscope_agent.samplers.pyspy import PySpy
from pivotscope_agent.sampling import SAME_EDGE_NS, Sampling
from pivotscope_agent.settings import SamplingSettings
from pivotscope_agent.targets import procfs
from pivotscope_agent.targets.target import Target

from tests.agent.conftest import target_of

Program = Callable[..., "Popen[str]"]
Labs = Callable[..., Any]
TICK_NS = 10_000_000


def cpu_of(windows: list[Window]) -> int:
    return sum(w.usage.cpu_user_ns + w.usage.cpu_system_ns + w.gap_cpu_ns for w in windows)


def outcomes(windows: list[Window]) -> list[Outcome]:
    return [window.outcome for window in windows]


@pytest.mark.python_target
async def test_windows_follow_each_other_and_hold_samples(busy_python: Program, lab: Labs) -> None:
    pid = busy_python().pid
    made = lab()
    made.begin(pid)
    await made.until(lambda: len(made.windows) >= 3)
    assert set(outcomes(made.windows)) == {Outcome.COMPLETE}
    assert {window.mode for window in made.windows} == {Mode.ACTIVE, Mode.GIL}
    for window, text in zip(made.windows, made.texts, strict=True):
        assert "hot (" in text
        assert (window.ticks, window.rate_hz) == (20, 20)
        assert window.usage.cpu_user_ns > 0
        assert window.usage.resident_bytes > 0
        assert 0 < window.sampler_cpu_ns < window.duration_ns
    first, second = made.windows[:2]
    # Time of day and the clock for lengths are read one after the other.
    assert abs(second.started_unix_ns - (first.started_unix_ns + first.duration_ns)) < 100_000_000


class Settable:
    """A clock that stands still until it is set."""

    now_ns = 1_000_000_000

    def monotonic_ns(self) -> int:
        return self.now_ns

    def unix_ns(self) -> int:
        return self.now_ns

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError(seconds)


async def test_windows_share_an_edge_where_one_follows_the_other_at_once(lab: Labs) -> None:
    """Reading an edge reads a file for each thread."""
    clock = Settable()
    loop = Sampling(target_of(os.getpid()), lab(clock=clock).shared)
    edge = loop._edge = loop._moment()
    clock.now_ns += SAME_EDGE_NS - 1
    assert loop._begin() is edge
    clock.now_ns += 1
    later = loop._begin()
    assert later.monotonic_ns == clock.now_ns
    assert later.reading.cpu_ns > edge.reading.cpu_ns


@pytest.mark.python_target
@pytest.mark.parametrize("nonblocking", [False, True])
async def test_looks_that_do_not_stop_the_process_count_as_no_stops(
    busy_python: Program, lab: Labs, monkeypatch: pytest.MonkeyPatch, *, nonblocking: bool
) -> None:
    stops: list[int] = []
    learn = RunDelay.learn

    def learnt(delay: RunDelay, looks: Looks, *counts: int) -> int:
        stops.append(counts[-1])
        return learn(delay, looks, *counts)

    monkeypatch.setattr(RunDelay, "learn", learnt)
    made = lab(samplers={Language.PYTHON: PySpy(programs.find("py-spy"), nonblocking)})
    made.begin(busy_python().pid)
    await made.until(lambda: made.windows)
    window = made.windows[0]
    assert window.outcome is Outcome.COMPLETE
    assert (window.stopped_ns > 0) == (not nonblocking)
    assert stops[0] == (0 if nonblocking else window.ticks)


@pytest.mark.python_target
async def test_a_process_with_many_threads_is_not_stopped_and_its_windows_say_so(
    crowded_python: Program, lab: Labs
) -> None:
    """Stopping one thread after the other takes longer than some work under the lock: its holder would be missed."""
    made = lab()
    made.begin(crowded_python().pid)
    await made.until(lambda: len(made.windows) >= 2)
    assert set(outcomes(made.windows)) == {Outcome.COMPLETE}
    for window, text in zip(made.windows, made.texts, strict=True):
        assert "hot (" in text
        assert window.stopped_ns == 0
        assert "13 threads and is not stopped" in window.reason


@pytest.mark.ruby_target
async def test_ruby_windows_vary_their_rate(busy_ruby: Program, lab: Labs) -> None:
    pid = busy_ruby().pid
    made = lab()
    made.begin(pid)
    await made.until(lambda: len(made.windows) >= 3)
    assert set(outcomes(made.windows)) == {Outcome.COMPLETE}
    assert all("hot - " in text for text in made.texts)
    assert len({window.rate_hz for window in made.windows}) > 1
    assert {window.mode for window in made.windows} == {Mode.ACTIVE, Mode.GIL}
    assert all(window.ticks == window.rate_hz for window in made.windows)


@pytest.mark.python_target
async def test_cpu_is_conserved_over_complete_killed_and_idle_windows(busy_python: Program, lab: Labs) -> None:
    """The process stands still at both ends, so that /proc can be compared to the tick."""
    pid = busy_python().pid
    made = lab()
    made.shared.controls.pause("", 0)
    before = await _stand_still(made, pid)
    loop = made.begin(pid)
    await made.until(lambda: made.windows)
    os.kill(pid, signal.SIGCONT)
    made.shared.controls.resume("")
    await made.until(lambda: Outcome.COMPLETE in outcomes(made.windows))
    await made.until(lambda: made.child_of(loop))
    os.kill(made.child_of(loop), signal.SIGKILL)
    await made.until(lambda: Outcome.SAMPLER_KILLED in outcomes(made.windows))
    made.shared.controls.pause("", 0)
    await made.until(lambda: made.windows[-1].outcome is Outcome.PAUSED)
    after = await _stand_still(made, pid)
    await made.end()
    assert abs(cpu_of(made.windows) - (after - before)) <= 2 * TICK_NS
    assert after - before > 10 * TICK_NS


@pytest.mark.python_target
async def test_a_pause_begins_at_once_and_ends_at_once(busy_python: Program, lab: Labs) -> None:
    """Not at the end of a window: whoever pauses has a reason."""
    made = lab(sampling=SamplingSettings(window_seconds=30, rate_hz=20))
    loop = made.begin(busy_python().pid)
    controls = made.shared.controls
    await made.until(lambda: made.child_of(loop))
    controls.replace(DesiredState((ServiceState("", paused=True, note="ana: release"),)))
    loop.reconsider()
    await made.until(lambda: made.windows)
    controls.replace(DesiredState((ServiceState("", rate_hz=25),)))
    loop.reconsider()
    await made.until(lambda: len(made.windows) == 2 and made.child_of(loop))
    await made.end()
    first, second, third = made.windows[:3]
    assert first.duration_ns < 20 * 10**9
    assert (second.outcome, second.reason) == (Outcome.PAUSED, "paused by the collector: ana: release")
    assert third.rate_hz == 25


async def _stand_still(made: Any, pid: int) -> int:
    """Stop the process and read its CPU time from /proc/PID/stat."""
    os.kill(pid, signal.SIGSTOP)
    await made.until(lambda: procfs.stat(pid).state == "T")
    stat = procfs.stat(pid)
    return stat.user_ns + stat.system_ns


@pytest.mark.python_target
async def test_a_killed_sampler_leaves_the_process_running_and_is_tried_again(busy_python: Program, lab: Labs) -> None:
    pid = busy_python().pid
    made = lab()
    loop = made.begin(pid)
    await made.until(lambda: made.child_of(loop))
    os.kill(made.child_of(loop), signal.SIGKILL)
    await made.until(lambda: made.windows)
    assert made.windows[0].outcome is Outcome.SAMPLER_KILLED
    assert made.windows[0].reason == "the sampler was ended by signal 9"
    assert procfs.stat(pid).state in {"R", "S", "D"}
    assert made.child_of(loop) == 0


class Deaf(PySpy):
    """A sampler that neither ends nor listens."""

    def command(self, request: object) -> list[str]:  # noqa: ARG002
        return ["/bin/sh", "-c", "trap '' INT; while :; do sleep 0.05; done"]


def ignores_interrupts(pid: int) -> bool:
    """Whether the shell has come as far as its trap."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    mask = next(int(line.split()[1], 16) for line in lines if line.startswith("SigIgn:"))
    return bool(mask & 1 << (signal.SIGINT - 1))


@pytest.mark.python_target
async def test_a_sampler_that_does_not_stop_is_killed(
    busy_python: Program, lab: Labs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pivotscope_agent.samplers.attended.GRACE_S", 0.2)
    made = lab(samplers={Language.PYTHON: Deaf(Path("/bin/sh"))})
    loop = made.begin(busy_python().pid)
    await made.until(lambda: made.child_of(loop))
    child = made.child_of(loop)
    await made.until(lambda: ignores_interrupts(child))
    await made.end()
    assert made.windows[0].outcome is Outcome.SAMPLER_KILLED
    assert made.windows[0].reason.startswith("the sampler did not stop in time and was killed")
    assert child not in procfs.pids()


@pytest.mark.python_target
async def test_the_end_of_the_agent_keeps_what_was_seen(busy_python: Program, lab: Labs) -> None:
    made = lab(sampling=SamplingSettings(window_seconds=60, rate_hz=50))
    loop = made.begin(busy_python().pid)
    await made.until(lambda: made.child_of(loop))
    await asyncio.to_thread(_wait_for_cpu, loop.target, 0.3)
    await made.end()
    assert outcomes(made.windows) == [Outcome.COMPLETE]
    assert (made.windows[0].reason, made.windows[0].ticks) == ("ended early", 0)
    assert "hot (" in made.texts[0]


def _wait_for_cpu(target: Target, seconds: float) -> None:
    goal = procfs.cpu_ns(target.process.pid) + round(seconds * 1e9)
    while procfs.cpu_ns(target.process.pid) < goal:
        os.sched_yield()


@pytest.mark.python_target
async def test_a_process_that_ends_in_a_window(busy_python: Program, lab: Labs) -> None:
    program = busy_python(2.0)
    made = lab(sampling=SamplingSettings(window_seconds=30, rate_hz=20))
    loop = made.begin(program.pid)
    await asyncio.to_thread(program.wait)
    await asyncio.gather(*made.tasks)
    assert outcomes(made.windows) == [Outcome.COMPLETE]
    assert made.windows[0].reason == "the process ended in this window"
    assert "hot (" in made.texts[0]
    assert made.child_of(loop) == 0


@pytest.mark.python_target
async def test_a_runtime_that_cannot_be_sampled_is_not_attached_to(
    busy_python: Program, lab: Labs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pivotscope_agent.samplers.child.Child.start", _refuse_to_start)
    made = lab()
    made.begin(busy_python().pid, unsupported="CPython 9.9.9 is not supported")
    await made.until(lambda: len(made.windows) >= 2)
    assert set(outcomes(made.windows)) == {Outcome.UNSUPPORTED_RUNTIME}
    assert {window.mode for window in made.windows} == {Mode.NONE}
    assert "9.9.9" in made.windows[0].reason
    assert cpu_of(made.windows) > 0


@pytest.mark.python_target
async def test_a_process_that_may_not_be_traced(
    busy_python: Program, lab: Labs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pivotscope_agent.samplers.child.Child.start", _refuse_to_start)
    monkeypatch.setattr("pivotscope_agent.targets.procfs.may_attach", lambda _: False)
    made = lab()
    made.begin(busy_python().pid)
    await made.until(lambda: len(made.windows) >= 2)
    assert set(outcomes(made.windows)) == {Outcome.ATTACH_DENIED}
    assert cpu_of(made.windows) > 0


def _refuse_to_start(*_: object) -> None:
    pytest.fail("a sampler was started")


@pytest.mark.python_target
async def test_a_sampler_that_cannot_be_started(busy_python: Program, lab: Labs) -> None:
    made = lab(samplers={Language.PYTHON: PySpy(Path("/nowhere/py-spy"))})
    made.begin(busy_python().pid)
    await made.until(lambda: len(made.windows) >= 2)
    assert set(outcomes(made.windows)) == {Outcome.SAMPLER_FAILED}
    assert made.windows[0].reason == "/nowhere/py-spy cannot be started: No such file or directory"


@pytest.mark.python_target
async def test_rubbish_from_a_sampler_is_no_window(busy_python: Program, lab: Labs) -> None:
    made = lab(samplers={Language.PYTHON: PySpy(Path("/bin/echo"))})
    made.begin(busy_python().pid)
    await made.until(lambda: made.windows)
    assert made.windows[0].outcome is Outcome.SAMPLER_FAILED
    assert made.texts[0] == ""


@pytest.mark.python_target
async def test_a_process_that_somebody_stopped_stays_stopped(busy_python: Program, lab: Labs) -> None:
    pid = busy_python().pid
    made = lab()
    await _stand_still(made, pid)
    made.begin(pid)
    await made.until(lambda: made.windows)
    assert (made.windows[0].outcome, made.windows[0].reason) == (Outcome.SKIPPED, "the process is stopped")
    assert procfs.stat(pid).state == "T"


@pytest.mark.python_target
async def test_slots_are_taken_in_turn_and_waiting_is_recorded(busy_python: Program, lab: Labs) -> None:
    made = lab(slots=asyncio.Semaphore(1))
    pids = [busy_python().pid for _ in range(2)]
    loops: list[Sampling] = [made.begin(pid) for pid in pids]

    def complete(pid: int) -> int:
        return sum(w.process.pid == pid and w.outcome is Outcome.COMPLETE for w in made.windows)

    await made.until(lambda: all(complete(pid) >= 2 for pid in pids))
    assert sum(bool(made.child_of(loop)) for loop in loops) <= 1
    waited = [window for window in made.windows if window.outcome is Outcome.SKIPPED]
    assert {window.reason for window in waited} == {"all sampler slots are taken"}
    assert all(window.usage.cpu_user_ns > 0 for window in waited)
