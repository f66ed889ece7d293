"""A collector that is away for longer than a small spool lasts: records go, CPU does not."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pivotscope_agent.pipeline import state as states
from pivotscope_agent.pipeline.files import Files

from tests.e2e.stack import Stack
from tests.e2e.test_whole_path import QUICK, free_address, select

pytestmark = [pytest.mark.e2e, pytest.mark.engine, pytest.mark.python_target]

WORKER = Path(__file__).parent.parent / "faults" / "programs" / "worker.py"
SERVICE = "sheds"
"""Of no other test: two run at once, and agents see each other's programs."""
SMALL = "[spool]\nmax_bytes = 1048576\n"
UNSEEN = 0.005
"""Part of a program's CPU: what it used at rest, before the agent saw it and after its last window, is in none."""


def used_seconds(pid: int) -> float:
    """CPU of a process in seconds, as the scheduler counts it."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks) / 1e9


@pytest.mark.slow
def test_cpu_is_conserved_while_records_are_shed(stack: Stack, measured: Callable[[str], None]) -> None:
    """Measured CPU = attributed + unattributed, whatever a full spool threw away."""
    address = free_address()
    worker = stack.program([sys.executable, WORKER], SERVICE)
    before = used_seconds(worker.pid)
    agent = stack.agent(QUICK + SMALL + select(SERVICE), collector=address)

    def tell(word: str) -> None:
        pipe = worker.process.stdin
        assert pipe is not None
        pipe.write(f"{word}\n")
        pipe.flush()

    def dropped() -> int:
        state = states.load(stack.folder / "spool", Files()) if (stack.folder / "spool").exists() else None
        return state.dropped.get("spool_full", 0) if state else 0

    stack.until(lambda: "found process" in agent.said, agent, what="the agent sees the program")
    # Each window of it has names of hundreds of kilobytes.
    tell("wide")
    stack.until(lambda: dropped() > 2, agent, what="the full spool has dropped records")
    collector = stack.collector(listen=address)
    stack.until(lambda: stack.cpu(SERVICE).windows, agent, collector, what="windows arrive")
    tell("rest")
    used = used_seconds(worker.pid) - before

    def booked() -> float:
        found = stack.cpu(SERVICE)
        return found.attributed_cpu_seconds + found.unattributed_cpu_seconds

    stack.until(
        lambda: booked() > (1.0 - UNSEEN) * used, agent, collector, what=f"{used:.2f} s of CPU are in the collector"
    )
    assert agent.stop() == 0
    used = used_seconds(worker.pid) - before
    found, gone = stack.cpu(SERVICE), dropped()
    parts = f"{found.attributed_cpu_seconds:.3f} s attributed, {found.unattributed_cpu_seconds:.3f} s not"
    measured(f"{gone} records dropped; {used:.3f} s used, {parts}")
    assert booked() == pytest.approx(used, rel=UNSEEN)
    assert found.unattributed_cpu_seconds > 0.0
    assert booked() == pytest.approx(found.cpu_seconds, rel=1e-9)
