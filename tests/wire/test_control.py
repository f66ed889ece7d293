"""What is asked of agents, from a store through the collector's streams into a real agent's controls."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import cast

import pytest
from grpc import aio
from pivotscope_agent.clock import SystemClock as AgentClock
from pivotscope_agent.controls import Controls
from pivotscope_agent.pipeline.channel import Endpoint
from pivotscope_agent.pipeline.export import Identity
from pivotscope_agent.pipeline.opening import open_spool
from pivotscope_agent.pipeline.pipeline import Pipeline
from pivotscope_agent.pipeline.spool import SpoolSettings
from pivotscope_agent.runtime import obey
from pivotscope_agent.sources import Sources
from pivotscope_agent.telemetry.counters import Counters
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters as CollectorCounters
from pivotscope_collector.errors import StoreError
from pivotscope_collector.ingest.committer import Committer
from pivotscope_collector.ingest.desired import Desired
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.service import AgentService
from pivotscope_collector.store.client import Client, Columns


class Table:
    """Stands for the store: rows of `controls`, as its statement gives them; away while told so.

    `written` counts writes where nobody else may write.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self.away = False
        self.written: int | None = None
        self.reads = 0

    def writes(self, _table: str) -> int | None:
        return self.written

    def query(self, name: str, _parameters: object = None) -> Columns:
        if name != "controls":
            return {"first_seen": []}
        self.reads += 1
        if self.away:
            raise StoreError("the store is away")
        return {key: [row[key] for row in self.rows] for key in (self.rows[0] if self.rows else {})}


def asked(kind: str, *, amount: int = 0, seconds: int = 0, agent: str = "") -> dict[str, object]:
    return {
        "kind": kind,
        "agent": agent,
        "service": "shop",
        "codebase": "",
        "amount": amount,
        "modes": [],
        "until_ms": time.time_ns() // 10**6 + seconds * 1000 if seconds else 0,
        "asked_by": "ana",
        "note": "release",
        "asked_us": time.time_ns() // 1000,
    }


class Agent:
    """A pipeline with controls behind it, and what was told in all."""

    def __init__(self, folder: Path, name: str, address: str) -> None:
        clock, counters = AgentClock(), Counters()
        self.controls = Controls(clock, 100)
        self.sources = Sources(lambda _: None)
        self.told = 0
        self.pipeline = Pipeline(
            Endpoint(address),
            Identity(name, "0", "host", ("python",)),
            open_spool(SpoolSettings(folder / name), counters=counters, clock=clock),
            counters=counters,
            clock=clock,
            random=Random(1),
            targets=lambda: 1,
            on_command=lambda command: obey(command, self.controls, self.sources, self.count),
        )
        self.pipeline.start()

    def count(self) -> None:
        self.told += 1


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
async def collector(table: Table, tmp_path: Path) -> AsyncIterator[Desired]:
    client, counters = cast("Client", table), CollectorCounters()
    committer = Committer(lambda _: None, counters, seconds=0.01, rows=100)
    committer.start()
    desired = Desired(client, SystemClock(), seconds=0.05)
    desired.start()
    server = aio.server()
    service = AgentService(client, committer, SystemClock(), counters, version="0", limits=Limits(), desired=desired)
    service.add_to(server)
    server.add_insecure_port(f"unix:{tmp_path}/collector.sock")
    await server.start()
    yield desired
    await server.stop(0)
    await desired.close()
    await committer.close()


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Callable[[str], Agent]]:
    made: list[Agent] = []

    def make(name: str) -> Agent:
        made.append(Agent(tmp_path, name, f"unix:{tmp_path}/collector.sock"))
        return made[-1]

    yield make
    for one in made:
        await one.pipeline.close(0)


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a condition has no event
            await asyncio.sleep(0.005)


async def test_an_agent_hears_at_once_when_it_connects_and_whatever_changes_later(
    table: Table, collector: Desired, agent: Callable[[str], Agent]
) -> None:
    table.rows = [asked("pause", seconds=60)]
    await collector.refresh()
    first = agent("first")
    await eventually(lambda: first.controls.paused("shop"))
    assert first.controls.paused("shop") == "paused by the collector: ana: release"
    assert not first.controls.paused("other")
    table.rows = [asked("rate", amount=500)]
    await eventually(lambda: not first.controls.paused("shop"))
    assert first.controls.rate("shop", 10) == 100
    assert "this agent's highest" in first.controls.rate_reason("shop")
    assert first.told == 2


async def test_an_agent_is_told_what_concerns_it_and_only_when_it_changes(
    table: Table, collector: Desired, agent: Callable[[str], Agent]
) -> None:
    rate = asked("rate", amount=25, agent="first")
    table.rows = [rate]
    await collector.refresh()
    first, second = agent("first"), agent("second")
    await eventually(lambda: first.controls.rate("shop", 10) == 25 and second.told)
    table.rows = [rate, asked("targets", amount=1, agent="first")]
    await eventually(lambda: first.controls.max_targets("shop") == 1)
    assert (first.told, second.told) == (2, 1)
    assert second.controls.rate("shop", 10) == 10


async def test_while_the_store_is_away_agents_go_on_as_they_are(
    table: Table, collector: Desired, agent: Callable[[str], Agent]
) -> None:
    table.rows = [asked("pause")]
    first = agent("first")
    await eventually(lambda: first.controls.paused("shop"))
    table.away = True
    await collector.refresh()
    assert first.controls.paused("shop")
    table.rows, table.away = [], False
    collector.wake()
    await eventually(lambda: not first.controls.paused("shop"))


@pytest.mark.usefixtures("collector")
async def test_a_pause_ends_on_time(table: Table, agent: Callable[[str], Agent]) -> None:
    table.rows = [asked("pause", seconds=1)]
    first = agent("first")
    await eventually(lambda: first.controls.paused("shop"))
    await eventually(lambda: not first.controls.paused("shop"))


async def test_a_store_of_its_own_is_read_after_writes_and_failures_alone(
    table: Table, collector: Desired, agent: Callable[[str], Agent]
) -> None:
    """Pauses end on time all the same, and a read that failed is made up for."""
    table.written, table.away, table.rows = 1, True, [asked("pause", seconds=1), asked("rate", amount=5)]
    first = agent("first")
    await collector.refresh()
    table.away = False
    await eventually(lambda: first.controls.paused("shop"))
    reads = table.reads
    await eventually(lambda: not first.controls.paused("shop"))
    assert first.controls.rate("shop", 10) == 5
    assert table.reads == reads
    table.rows, table.written = [], 2
    await eventually(lambda: first.controls.rate("shop", 10) == 10)
    assert table.reads == reads + 1
