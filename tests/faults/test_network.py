"""A real exporter over a network that is cut, stalled and slow: each record arrives once, in order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import grpc
import pytest
from grpc import aio
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1.agent_pb2_grpc import AgentServiceServicer, add_AgentServiceServicer_to_server
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.pipeline import session
from pivotscope_agent.pipeline.channel import Endpoint
from pivotscope_agent.pipeline.export import Exporter, Identity
from pivotscope_agent.pipeline.opening import open_spool
from pivotscope_agent.pipeline.spool import Spool, SpoolSettings
from pivotscope_agent.telemetry.counters import Counters

from tests.faults.network import Network, Wire

pytestmark = pytest.mark.e2e

RECORDS = 12


class Hasty(SystemClock):
    """Pauses are a fiftieth of what is asked for."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 50)


class Store(AgentServiceServicer):
    """Keeps each sequence once, as the collector does, and acknowledges; or answers with an error."""

    def __init__(self) -> None:
        self.stored: dict[int, bytes] = {}
        self.order: list[int] = []
        self.changed = 0
        self.errors: list[grpc.StatusCode] = []
        self.pause_s = 0.0

    async def Stream(self, requests: AsyncIterator[pb.StreamRequest], context: Any) -> AsyncIterator[pb.StreamResponse]:  # noqa: N802
        if self.errors:
            await context.abort(self.errors.pop(0), "on purpose")
        async for request in requests:
            if request.WhichOneof("message") == "hello":
                yield pb.StreamResponse(welcome=pb.Welcome(max_in_flight=8, max_message_bytes=1 << 20))
            elif request.WhichOneof("message") == "batch":
                batch = request.batch
                await asyncio.sleep(self.pause_s)
                content = batch.windows[0].reason.encode()
                if batch.sequence not in self.stored:
                    self.order.append(batch.sequence)
                self.changed += self.stored.setdefault(batch.sequence, content) != content
                yield pb.StreamResponse(ack=pb.Ack(sequence=batch.sequence))


@pytest.fixture
async def store() -> AsyncIterator[tuple[Store, Network]]:
    server, made = aio.server(), Store()
    add_AgentServiceServicer_to_server(made, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    with Network(("127.0.0.1", port)) as network:
        yield made, network
    await server.stop(0)


@pytest.fixture
async def send(tmp_path: Path, store: tuple[Store, Network]) -> AsyncIterator[Callable[[], Awaitable[Spool]]]:
    """Spool records, send them, and wait until all are acknowledged."""
    made: list[Exporter] = []

    async def run(records: int = RECORDS) -> Spool:
        counters, clock = Counters(), Hasty()
        spool = open_spool(SpoolSettings(tmp_path / str(len(made))), counters=counters, clock=clock)
        for number in range(records):
            window = pb.Window(process=1, reason=f"{number} {'x' * 2_000}")
            spool.append(pb.Definitions(processes=[pb.Process(id=1, service="shop")]), pb.Batch(windows=[window]))
        exporter = Exporter(
            Endpoint(store[1].address),
            Identity("agent-1", "0.1.0", "host-1"),
            spool,
            counters=counters,
            clock=clock,
            random=Random(7),
            targets=lambda: 1,
            on_command=print,
        )
        made.append(exporter)
        exporter.start()
        async with asyncio.timeout(30):
            while spool.pending():  # noqa: ASYNC110 - acknowledgements have no event
                await asyncio.sleep(0.01)
        return spool

    yield run
    for one in made:
        await one.close(0)


def arrived(store: Store) -> bool:
    return store.order == list(range(1, len(store.stored) + 1)) and not store.changed


@pytest.mark.parametrize("place", [0, 1, 40, 150, 400, 2_500, 9_000, 20_000])
async def test_a_cut_in_the_midst_of_a_batch(
    store: tuple[Store, Network], send: Callable[[], Awaitable[Spool]], place: int
) -> None:
    store[1].cut_after(place)
    await send()
    assert store[1].cuts == 1
    assert len(store[0].stored) == RECORDS
    assert arrived(store[0])


async def test_a_collector_that_answers_errors(
    store: tuple[Store, Network], send: Callable[[], Awaitable[Spool]]
) -> None:
    store[0].errors = [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNKNOWN,
    ]
    await send()
    assert store[0].errors == []
    assert len(store[0].stored) == RECORDS
    assert arrived(store[0])


async def test_a_slow_collector_on_a_slow_network(
    store: tuple[Store, Network], send: Callable[[], Awaitable[Spool]]
) -> None:
    store[0].pause_s, store[1].delay_s = 0.05, 0.02
    await send()
    assert len(store[0].stored) == RECORDS
    assert arrived(store[0])


async def test_a_network_that_falls_silent(
    store: tuple[Store, Network], send: Callable[[], Awaitable[Spool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told: the agent gives up the stream by itself and begins another."""
    monkeypatch.setattr(session, "_SILENCE_NS", 1_000_000_000)
    monkeypatch.setattr(session, "_HANDSHAKE_S", 1.0)
    store[0].pause_s = 0.05
    sending = asyncio.ensure_future(send())
    async with asyncio.timeout(20):
        while len(store[0].stored) < 3:  # noqa: ASYNC110 - what is stored has no event
            await asyncio.sleep(0.005)
    store[1].set(Wire.STALLED)
    await asyncio.sleep(1.5)
    store[1].set(Wire.DOWN)
    await asyncio.sleep(0.1)
    store[1].set(Wire.UP)
    await sending
    assert len(store[0].stored) == RECORDS
    assert arrived(store[0])
