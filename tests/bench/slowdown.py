"""What being watched costs the watched program, and what watching costs."""

import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pivotscope_agent.targets import procfs

from tests.bench.paired import differences
from tests.bench.table import Line
from tests.bench.toggle import samplers, switch_off, switched_on
from tests.e2e.stack import BIN, Running, Stack, cpu_seconds, reaped_cpu_seconds

ROUNDS = 8
SECONDS = 6.0
PROGRAM = Path(__file__).parent / "work_loop.py"
NOBODY = "127.0.0.1:1"
CONFIG = '[[select]]\nenv = "OTEL_SERVICE_NAME=loop"\n'
ALONE, AGENT, PLAIN = "with no profiler", "with the agent at defaults", "with py-spy record -r 100"

Watching = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class _Round:
    """Work done a second, CPU of the program for a piece of work, and CPU of the profiler as a part of a core."""

    speed: float
    cost: float
    profiler: float


def measure() -> list[Line]:
    """One program in many short rounds by turns: alone, watched by an agent that has settled, watched by plain py-spy.

    The collector is elsewhere, as in production: the agent fills its spool. CPU for a piece of work is steadier than
    pieces a second, which other programs of the machine change too.
    """
    found: dict[str, list[_Round]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        count_file = Path(folder) / "count"
        loop = stack.program([sys.executable, PROGRAM, count_file], "loop")
        agent = stack.agent(CONFIG, "--print", collector=NOBODY)
        stack.until(lambda: agent.said.count("/complete ") >= 4, agent, what="the agent has settled", seconds=180.0)
        switch_off(agent)
        ways: Mapping[str, Watching] = {
            ALONE: _alone,
            AGENT: lambda: switched_on(stack, agent),
            PLAIN: lambda: _plain(stack, loop),
        }
        for number in range(ROUNDS):
            # Each way comes first, second and third in turn.
            names = list(ways)
            for name in names[number % 3 :] + names[: number % 3]:
                with ways[name]():
                    found[name].append(_round(count_file, loop, agent, stack))
    return _lines(found)


def _lines(found: Mapping[str, list[_Round]]) -> list[Line]:
    lines = [
        Line(
            f"throughput {name}",
            f"{median(one.speed for one in rounds):,.0f} a second",
            f"{min(one.speed for one in rounds):,.0f} to {max(one.speed for one in rounds):,.0f} in {ROUNDS} rounds of "
            f"{SECONDS:.0f} s; profiler {100 * median(one.profiler for one in rounds):.2f} % of a core",
        )
        for name, rounds in found.items()
    ]
    for name in (AGENT, PLAIN):
        costs = differences([one.cost for one in found[ALONE]], [one.cost for one in found[name]])
        slow = differences([one.speed for one in found[ALONE]], [one.speed for one in found[name]])
        lines.append(Line(f"CPU for a piece of work {name}", f"{100 * costs.median:+.2f} %", str(costs)))
        lines.append(Line(f"throughput {name}", f"{100 * slow.median:+.2f} %", str(slow)))
    return lines


def _round(count_file: Path, loop: Running, agent: Running, stack: Stack) -> _Round:
    began, first, cpu, watching = time.monotonic(), _count(count_file), procfs.cpu_ns(loop.pid), _profiler(agent, stack)
    time.sleep(SECONDS)
    seconds, done = time.monotonic() - began, _count(count_file) - first
    used = procfs.cpu_ns(loop.pid) - cpu
    return _Round(done / seconds, used / done, (_profiler(agent, stack) - watching) / seconds)


def _profiler(agent: Running, stack: Stack) -> float:
    """CPU of all that watches, in seconds: the agent, its samplers that run and those that ended, and plain py-spy."""
    spies = [running.pid for running in stack.running if running.name == "py-spy" and running.process.poll() is None]
    living = sum(cpu_seconds(pid) for pid in [*samplers(agent), *spies])
    return cpu_seconds(agent.pid) + reaped_cpu_seconds(agent.pid) + living


def _count(file: Path) -> int:
    return int.from_bytes(file.read_bytes(), "little")


@contextmanager
def _alone() -> Iterator[None]:
    yield


@contextmanager
def _plain(stack: Stack, loop: Running) -> Iterator[None]:
    output = stack.folder / "plain.txt"
    command: list[str | Path] = [BIN / "py-spy", "record", "--pid", str(loop.pid), "--rate", "100", "--duration", "600"]
    spy = stack.start("py-spy", [*command, "--format", "raw", "--output", output])
    stack.until(lambda: "Sampling" in spy.said, spy, what="py-spy samples")
    try:
        yield
    finally:
        spy.stop(signal.SIGINT)
