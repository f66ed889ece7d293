"""A backup while agents stream, a collector that dies, and another one that goes on from the backup."""

import asyncio
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pivotscope.v1 import agent_pb2 as pb

from tests.e2e.stack import Answer, Stack
from tests.faults.collector_agents import SECOND, Agent

pytestmark = pytest.mark.e2e

_FAST = {"PIVOTSCOPE_ROLLUP_SECONDS": "0.2", "PIVOTSCOPE_ROLLUP_MARGIN_SECONDS": "0.5"}

_ROLL_UP = """
import sys
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.rollup import RollUp

class Later(SystemClock):
    def unix_ns(self):
        return super().unix_ns() + 60 * 10**9

client = Client(path=sys.argv[1], database="pivotscope")
RollUp(client, SystemClock(), Reception(client, Later()), Counters(), margin_seconds=1.0, raw_days=14).run()
client.close()
"""


def _stored(data: Path) -> Any:
    program = [sys.executable, str(Path(__file__).parent / "collector_store.py"), str(data)]
    return json.loads(subprocess.run(program, check=True, capture_output=True, text=True, timeout=60).stdout)


def _sent(agents: Sequence[Agent]) -> dict[str, int]:
    return {
        "windows": sum(agent.sums.windows for agent in agents),
        "samples": sum(agent.sums.samples for agent in agents),
    }


class _Remembering(Agent):
    """An agent that keeps every batch, and knows how many were acknowledged; `enough` is set after 30."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.made: list[pb.Batch] = []
        self.enough = asyncio.Event()

    @property
    def acknowledged(self) -> list[pb.Batch]:
        return self.made[: self._waiting[0].sequence - 1] if self._waiting else self.made

    def make(self) -> pb.Batch:
        if len(self.acknowledged) >= 30:
            self.enough.set()
        self.made.append(super().make())
        return self.made[-1]

    def forget(self) -> None:
        """Nothing was acknowledged: everything is sent again, in its order, as acknowledgements are cumulative."""
        self._done.clear()
        self._waiting = deque(self.made)


async def _while_streaming(stack: Stack, agents: list[_Remembering]) -> tuple[dict[str, int], Answer]:
    """What was acknowledged before the backup began, and how the backup went."""
    ending = asyncio.Event()
    tasks = [asyncio.create_task(agent.run(ending, 0.002)) for agent in agents]
    async with asyncio.timeout(60):
        for agent in agents:
            await agent.enough.wait()
    windows = [window for agent in agents for batch in agent.acknowledged for window in batch.windows]
    before = {"windows": len(windows), "samples": sum(sum(window.counts) for window in windows)}
    many = len(agents[0].made)
    answer = await asyncio.to_thread(stack.cli, "collector", "backup", "one")
    async with asyncio.timeout(60):
        while len(agents[0].made) < many + 30:
            agents[0].enough.clear()
            await agents[0].enough.wait()
    ending.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*tasks)
    return before, answer


@pytest.mark.slow
def test_what_was_acknowledged_is_in_the_backup_and_counts_once(stack: Stack) -> None:
    collector = stack.collector(environment=_FAST)
    start_ns = time.time_ns() - 900 * SECOND
    agents = [_Remembering(number, start_ns, lambda: stack.address, 5) for number in range(3)]
    before, answer = asyncio.run(_while_streaming(stack, agents))
    assert answer.status == 0, answer.errors
    assert "one: " in answer.output
    audit = stack.cli("collector", "audit", "--output", "json")
    assert [row["outcome"] for row in audit.rows if row["method"] == "Backup"] == ["OK"]
    held = stack.cli("collector", "backup", str(stack.folder / "x"), "--data-dir", str(stack.folder / "data"))
    assert (held.status, "another process" in held.errors) == (3, True)
    collector.process.kill()
    collector.process.wait()

    stack.address = ""
    restored = stack.folder / "restored"
    backup = stack.folder / "data-backups" / "one"
    done = stack.cli("collector", "restore", str(backup), "--data-dir", str(restored))
    assert done.status == 0, done.errors
    found = _stored(restored)["raw"]
    for name, value in _sent(agents).items():
        assert before[name] <= found[name] <= value
    assert found["windows"] < _sent(agents)["windows"]

    for agent in agents:
        agent.forget()
    second = stack.collector("--data-dir", restored, environment=_FAST)
    asyncio.run(_all_again(agents))
    assert second.stop() == 0, second.said
    subprocess.run([sys.executable, "-c", _ROLL_UP, restored], check=True, timeout=60)
    after = _stored(restored)
    assert after["raw"] == _sent(agents)
    assert {name: after["minute"][name] for name in after["raw"]} == after["raw"]
    assert not after["dirty"]


async def _all_again(agents: list[_Remembering]) -> None:
    ending = asyncio.Event()
    ending.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*(agent.run(ending, 0.01) for agent in agents))
