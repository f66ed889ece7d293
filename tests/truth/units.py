"""Whether every CPU-second is booked once: the whole way through agent, wire, store and query."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pivotscope.v1 import query_pb2

from tests.e2e.stack import Running, Stack, children, cpu_seconds
from tests.truth.observe import PROGRAMS

CONFIG = """
[sampling]
window_seconds = 2
rate_hz = 100
[budget]
target_cpu = 64.0
host_cpu = 64.0
stopped = 1.0
[targets]
rescan_seconds = 0.1
[[select]]
env = "OTEL_SERVICE_NAME=units"
"""
WORK_SECONDS = 10.0
"""Of CPU."""


@dataclass(frozen=True, slots=True)
class Books:
    """CPU in seconds over the time that an agent watched a process: by /proc, and as the collector tells it."""

    measured: float
    functions: float
    unattributed: float
    attributed: float

    @property
    def difference(self) -> float:
        """Part of the measured CPU that functions and unattributed together miss or have too much."""
        return (self.functions + self.unattributed) / self.measured - 1.0

    @property
    def unattributed_share(self) -> float:
        """Part of the measured CPU for which nobody is named."""
        return self.unattributed / self.measured


def keep_books(disturb: Callable[[Stack, Running, Running], None], seconds: float = WORK_SECONDS) -> Books:
    """Let a program work for a while under the watch of an agent; `disturb(stack, agent, program)` runs meanwhile.

    The program sleeps before and after its work, so that the agent's first and last look at its counters find it idle.
    """
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.collector()
        script = PROGRAMS / "truth_python.py"
        log = Path(folder) / "truth.log"
        program = stack.program([sys.executable, script, log, "1", str(seconds), "--wait"], "units")
        before = cpu_seconds(program.pid)
        agent = stack.agent(CONFIG)
        stack.until(lambda: children(agent.pid, "py-spy"), agent, what="the agent samples")
        _tell(program)
        disturb(stack, agent, program)
        stack.until(lambda: "done\n" in program.said, program, what="the work is done", seconds=120.0)
        # The last window holds idle time only: whatever was used is in windows that are over.
        wait_for_windows(stack, 1)
        os.kill(agent.pid, signal.SIGTERM)
        if agent.process.wait(60) != 0:
            raise RuntimeError(agent.said)
        measured = cpu_seconds(program.pid) - before
        answer = stack.hotspots("units")
        return _books(measured, answer)


def wait_for_windows(stack: Stack, count: int) -> None:
    """Wait until the collector has so many windows more."""
    before = stack.cpu("units").windows
    stack.until(lambda: stack.cpu("units").windows >= before + count, what=f"{count} more windows are stored")


def pause_agent(stack: Stack, agent: Running, program: Running) -> None:
    """A gap: the agent stands still for the time of two windows."""
    wait_for_windows(stack, 1)
    os.kill(agent.pid, signal.SIGSTOP)
    started = cpu_seconds(program.pid)
    stack.until(lambda: cpu_seconds(program.pid) > started + 1.5, program, what="the program went on")
    os.kill(agent.pid, signal.SIGCONT)


def kill_sampler(stack: Stack, agent: Running, _program: Running) -> None:
    """A killed window: SIGKILL for the sampler while it looks."""
    wait_for_windows(stack, 1)
    stack.until(lambda: children(agent.pid, "py-spy"), agent, what="a sampler runs")
    for pid in children(agent.pid, "py-spy"):
        os.kill(pid, signal.SIGKILL)


def nothing(_stack: Stack, _agent: Running, _program: Running) -> None:
    """An undisturbed run."""


def disturbed(stack: Stack, agent: Running, program: Running) -> None:
    """A gap and a killed window in one run; idle windows are at its end."""
    pause_agent(stack, agent, program)
    kill_sampler(stack, agent, program)


def _tell(program: Running) -> None:
    if program.process.stdin is None:
        raise RuntimeError("the program has no input")
    program.process.stdin.write("go\n")
    program.process.stdin.flush()


def _books(measured: float, answer: query_pb2.ListHotspotsResponse) -> Books:
    (service,) = answer.services
    return Books(
        measured=measured,
        functions=sum(row.self_cpu_seconds.estimate for row in answer.hotspots),
        unattributed=service.unattributed_cpu_seconds,
        attributed=service.attributed_cpu_seconds,
    )
