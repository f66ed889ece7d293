"""Many streams of large messages and a store that stands still: what is held is bounded, and nothing is lost."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from grpc import aio, method_handlers_generic_handler, stream_stream_rpc_method_handler
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1.agent_pb2_grpc import AgentServiceStub
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters, Latency
from pivotscope_collector.ingest.committer import Committer
from pivotscope_collector.ingest.desired import Desired
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.service import AgentService
from pivotscope_collector.ingest.session import Incoming
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.rows import Rows

from tests.wire.test_agent_meets_collector import NoHistory

STREAMS, BATCHES, WINDOWS = 40, 8, 60
GROUP_BYTES = 2_000_000
QUIET_S = 0.3
"""A store that stands still does so until no message has come for so long."""


class Held:
    """Batches that the collector has read and not yet stored."""

    def __init__(self) -> None:
        self.read = self.written = self.most = 0
        self.came = time.monotonic()

    def parse(self, data: bytes) -> Incoming:
        message = Incoming.parse(data)
        if message.request.HasField("batch"):
            self.read += 1
            self.most = max(self.most, self.read - self.written)
            self.came = time.monotonic()
        return message


class StandingStore:
    """Takes its first group when no more messages come, whatever the collector could have read by then."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._quiet = threading.Event()

    def write(self, rows: Rows) -> None:
        while rows.windows and not self._held.written and time.monotonic() - self._held.came < QUIET_S:
            self._quiet.wait(QUIET_S / 10)
        self._held.written += len(rows.windows) // WINDOWS


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
async def committer(held: Held) -> AsyncIterator[Committer]:
    one = Committer(StandingStore(held).write, Counters(), seconds=0.01, rows=10**9, octets=GROUP_BYTES)
    one.start()
    yield one
    await one.close()


@pytest.fixture
async def address(tmp_path: Path, committer: Committer, held: Held) -> AsyncIterator[str]:
    nothing, clock = cast("Client", NoHistory()), SystemClock()
    service = AgentService(
        nothing, committer, clock, Counters(), version="0", limits=Limits(), desired=Desired(nothing, clock)
    )
    stream = stream_stream_rpc_method_handler(
        service.stream, request_deserializer=held.parse, response_serializer=pb.StreamResponse.SerializeToString
    )
    server = aio.server()
    server.add_generic_rpc_handlers(
        (method_handlers_generic_handler("pivotscope.v1.AgentService", {"Stream": stream}),)
    )
    server.add_insecure_port(f"unix:{tmp_path}/collector.sock")
    await server.start()
    yield f"unix:{tmp_path}/collector.sock"
    await server.stop(0)


def _batch(sequence: int) -> pb.Batch:
    now = time.time_ns()
    return pb.Batch(
        sequence=sequence,
        windows=[
            pb.Window(
                process=1,
                mode=pb.MODE_NONE,
                outcome=pb.OUTCOME_SKIPPED,
                started_unix_ns=now - 10**10,
                reason="x" * Limits().text_length,
            )
        ]
        * WINDOWS,
    )


async def _stream(address: str, agent: int) -> None:
    """Send all batches as fast as the collector takes them, and read until the last is acknowledged."""
    async with aio.insecure_channel(address) as channel:
        call = AgentServiceStub(channel).Stream(None)
        hello = pb.Hello(agent_id=f"agent-{agent}", epoch=1, sent_unix_ns=time.time_ns())
        processes = [pb.Process(id=1, service="shop", language=pb.LANGUAGE_PYTHON, pid=agent + 1)]
        await call.write(pb.StreamRequest(hello=hello))
        await call.write(pb.StreamRequest(definitions=pb.Definitions(processes=processes)))

        async def write() -> None:
            for sequence in range(1, BATCHES + 1):
                await call.write(pb.StreamRequest(batch=_batch(sequence)))

        writing = asyncio.create_task(write())
        acknowledged = 0
        while acknowledged < BATCHES:
            answer = cast("pb.StreamResponse", await call.read())
            assert not answer.HasField("rejection")
            acknowledged = max(acknowledged, answer.ack.sequence)
        await writing
        await call.done_writing()


async def test_held_bytes_are_bounded_and_all_is_acknowledged(address: str, committer: Committer, held: Held) -> None:
    async with asyncio.timeout(120):
        await asyncio.gather(*(_stream(address, agent) for agent in range(STREAMS)))
    group = GROUP_BYTES // _batch(1).ByteSize() + 1
    # Two groups that are written as one, two that wait, and a message a stream.
    assert 2 * group < held.most <= 4 * group + STREAMS < STREAMS * BATCHES / 4
    assert held.read == held.written == STREAMS * BATCHES
    assert committer.bytes_waiting == 0
    assert committer._counters.durations()[Latency.HELD_BACK][1] > 0
