"""What the agent itself takes, at default settings."""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.table import Line
from tests.e2e.stack import PROGRAMS, Stack, cpu_seconds, reaped_cpu_seconds

TARGETS = 4
WINDOWS = 3
"""Complete windows a target that are waited for before the measurement begins to count, and while it counts."""
CONFIG = '[[select]]\nenv = "OTEL_SERVICE_NAME=bench"\n'


@dataclass(frozen=True, slots=True)
class _Reading:
    at: float
    own: float
    children: float
    windows: int


def measure() -> list[Line]:
    """Watch several busy programs for some windows, after the first ones."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.collector()
        for _ in range(TARGETS):
            stack.program([sys.executable, PROGRAMS / "busy.py"], "bench")
        agent = stack.agent(CONFIG)

        def read() -> _Reading:
            windows = stack.cpu("bench").windows
            return _Reading(time.monotonic(), cpu_seconds(agent.pid), reaped_cpu_seconds(agent.pid), windows)

        stack.until(lambda: read().windows >= TARGETS, agent, what="every target has a window")
        before = read()
        wanted = before.windows + WINDOWS * TARGETS
        stack.until(lambda: read().windows >= wanted, agent, what="windows are taken", seconds=120.0)
        after = read()
        resident = _memory(agent.pid, "VmRSS")
        peak = _memory(agent.pid, "VmHWM")
        agent.stop()
    seconds = after.at - before.at
    own, sampled = after.own - before.own, after.children - before.children
    return [
        Line("agent: resident memory without children", f"{resident:.0f} MB", f"peak {peak:.0f} MB"),
        Line("agent: CPU of its own, a target", f"{100 * own / seconds / TARGETS:.2f} % of a core",
             f"{TARGETS} Python targets, {seconds:.0f} s"),
        Line("agent: CPU of its samplers, a target", f"{100 * sampled / seconds / TARGETS:.2f} % of a core",
             "10 Hz, windows of 15 s"),
    ]  # fmt: skip


def _memory(pid: int, field: str) -> float:
    """MB of a field of /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"/proc/{pid}/status has no {field}")
