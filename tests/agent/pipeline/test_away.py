"""A collector that is away for long, a clock that is set, a disk that hangs."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any, Protocol

import pytest
from grpc import aio
from pivotscope.profile.window import Window
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1.agent_pb2_grpc import add_AgentServiceServicer_to_server
from pivotscope_agent.clock import Clock
from pivotscope_agent.pipeline import pipeline as pipelines
from pivotscope_agent.pipeline.channel import Endpoint
from pivotscope_agent.pipeline.export import Exporter, ExportState, Identity
from pivotscope_agent.pipeline.pipeline import Pipeline
from pivotscope_agent.pipeline.spool import Spool
from pivotscope_agent.telemetry.counters import Counters

Eventually = Callable[[Callable[[], object]], Awaitable[None]]
DAY_NS = 86_400_000_000_000


class Time(Clock, Protocol):
    """The fixture, as these tests use it."""

    wall: int
    mono: int
    slept: list[float]


class Collector(Protocol):
    """The fixture, as these tests use it."""

    welcome: pb.Welcome
    batches: list[pb.Batch]
    stored: dict[int, list[tuple[str, tuple[str, ...]]]]


async def test_an_hour_without_a_collector_is_made_up_for_in_order(
    *,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
    clock: Time,
    tmp_path: Path,
    fake_collector: Callable[[], Any],
) -> None:
    spool = open_()
    began, spooled = clock.mono, 0
    sleep = clock.sleep

    async def live(seconds: float) -> None:
        """Time passes, and a record is spooled for every ten seconds of it."""
        nonlocal spooled
        await sleep(seconds)
        while spooled < (clock.mono - began) // 10**10:
            spool.append(*record(f"work_{spooled}"))
            spooled += 1

    clock.sleep = live  # type: ignore[method-assign]
    one = exporter(spool)
    one.start()
    await eventually(lambda: clock.mono - began >= 3_600 * 10**9)
    pauses = clock.slept[8:]
    assert all(7.5 <= pause <= 15.0 for pause in pauses)
    assert len({round(pause, 3) for pause in pauses}) > len(pauses) // 2
    server, fake = aio.server(), fake_collector()
    add_AgentServiceServicer_to_server(fake, server)
    server.add_insecure_port(f"unix:{tmp_path}/collector.sock")
    await server.start()
    try:
        await eventually(lambda: spooled >= 360 and spool.pending() == 0)
        await one.close(5)
    finally:
        await server.stop(0)
    assert [batch.sequence for batch in fake.batches] == list(range(1, len(fake.batches) + 1))
    assert len(fake.batches) == spooled


async def test_a_clock_that_is_set_moves_the_offset(
    *,
    collector: Collector,
    open_: Callable[..., Spool],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
    clock: Time,
) -> None:
    collector.welcome.received_unix_ns = collector.welcome.sent_unix_ns = clock.wall + 2_000_000_000
    one = exporter(open_())
    one.start()
    await eventually(lambda: one.status.state is ExportState.STREAMING)
    seen = [one.clock_offset_ns]
    for step in (3_600 * 10**9, -7_200 * 10**9):
        clock.wall += step
        seen.append(one.clock_offset_ns)
    assert seen == [2 * 10**9, (2 - 3_600) * 10**9, (2 + 3_600) * 10**9]


@pytest.mark.parametrize("step", [400 * DAY_NS, -400 * DAY_NS])
def test_a_clock_that_is_set_ages_nothing(
    open_: Callable[..., Spool], record: Callable[..., Any], clock: Time, step: int
) -> None:
    spool = open_()
    spool.append(*record())
    clock.wall += step
    spool.append(*record())
    assert [one.sequence for one in spool.read(0, 10)] == [1, 2]
    assert dict(spool.dropped) == {}


@pytest.fixture
def pipeline(tmp_path: Path, open_: Callable[..., Spool], clock: Time, counters: Counters) -> Pipeline:
    return Pipeline(
        Endpoint(f"unix:{tmp_path}/collector.sock"),
        Identity("agent-1", "0.1.0", "host-1"),
        open_(),
        counters=counters,
        clock=clock,
        random=Random(7),
        targets=lambda: 0,
        on_command=print,
    )


async def test_what_was_seen_before_a_clock_was_set_keeps_its_offset(
    *, collector: Collector, pipeline: Pipeline, window: Callable[..., Window], clock: Time, eventually: Eventually
) -> None:
    collector.welcome.received_unix_ns = collector.welcome.sent_unix_ns = clock.wall + 2_000_000_000
    pipeline.start()
    await eventually(lambda: pipeline.status.state is ExportState.STREAMING)
    pipeline.offer([window()])
    clock.wall -= 5_000_000_000
    pipeline.offer([window()])
    assert await pipeline.close(10) == 0
    assert [batch.clock_offset_ns for batch in collector.batches] == [2 * 10**9, 7 * 10**9]


async def test_a_disk_that_hangs_keeps_the_agent_neither_from_working_nor_from_ending(
    *, pipeline: Pipeline, window: Callable[..., Window], files: Any, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = threading.Event()
    written = files.write

    def write(descriptor: int, data: bytes) -> None:
        hang.wait(20)
        written(descriptor, data)

    monkeypatch.setattr(files, "write", write)
    monkeypatch.setattr(pipelines, "DISK_S", 0.1)
    try:
        pipeline.start()
        for _ in range(25):
            pipeline.offer([window()] * 1_000)
            clock.mono += 2_000_000_000
            await asyncio.sleep(0)
        began = time.monotonic()
        await pipeline.close(0.1)
        assert time.monotonic() - began < 5.0
    finally:
        hang.set()
