"""What being watched costs the watched program."""

import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.bench.table import Line
from tests.e2e.stack import BIN, Running, Stack, children

ROUNDS = 3
SECONDS = 8.0
PROGRAM = Path(__file__).parent / "work_loop.py"
NOBODY = "127.0.0.1:1"
CONFIG = '[[select]]\nenv = "OTEL_SERVICE_NAME=loop"\n'

Watching = Callable[[], AbstractContextManager[object]]


def measure() -> list[Line]:
    """Throughput of one program in alternating rounds: alone, watched by the agent, watched by plain py-spy.

    The collector is elsewhere, as in production: the agent fills its spool.
    """
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        count_file = Path(folder) / "count"
        loop = stack.program([sys.executable, PROGRAM, count_file], "loop")
        ways: Mapping[str, Watching] = {
            "alone": _alone,
            "agent": lambda: _agent(stack),
            "py-spy": lambda: _plain(stack, loop),
        }
        speeds: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(ROUNDS):
            # Each way comes first, second and third in turn.
            names = list(ways)
            for name in names[number % 3 :] + names[: number % 3]:
                with ways[name]():
                    speeds[name].append(_speed(count_file))
    lines = [
        Line(f"throughput {name}", f"{statistics.median(found):,.0f} a second", f"{_spread(found)} in {ROUNDS} rounds")
        for name, found in speeds.items()
    ]
    for name, what in (("agent", "agent at defaults"), ("py-spy", "py-spy record -r 100")):
        slow = [100.0 * (1.0 - watched / free) for watched, free in zip(speeds[name], speeds["alone"], strict=True)]
        lines.append(
            Line(f"slowdown: {what}", f"{statistics.median(slow):.1f} %", f"{min(slow):.1f} to {max(slow):.1f} %")
        )
    return lines


def _speed(count_file: Path) -> float:
    began, first = time.monotonic(), _count(count_file)
    time.sleep(SECONDS)
    return (_count(count_file) - first) / (time.monotonic() - began)


def _count(file: Path) -> int:
    return int.from_bytes(file.read_bytes(), "little")


@contextmanager
def _alone() -> Iterator[None]:
    yield


@contextmanager
def _agent(stack: Stack) -> Iterator[None]:
    agent = stack.agent(CONFIG, collector=NOBODY)
    stack.until(lambda: children(agent.pid, "py-spy"), agent, what="the agent samples")
    # The first window reads the source; those that follow, at once, are what an agent costs.
    first = children(agent.pid, "py-spy")
    stack.until(lambda: set(children(agent.pid, "py-spy")) - set(first), agent, what="the second window begins")
    try:
        yield
    finally:
        agent.stop()


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


def _spread(values: list[float]) -> str:
    return f"{min(values):,.0f} to {max(values):,.0f}"
