import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.pipeline import session
from pivotscope_agent.pipeline.control import Command, Pause, SetRate
from pivotscope_agent.pipeline.export import Exporter, ExportState
from pivotscope_agent.pipeline.record import Record
from pivotscope_agent.pipeline.spool import Spool
from pivotscope_agent.telemetry.counters import Count, Counters

from tests.agent.pipeline.conftest import Eventually, FakeClock, FakeCollector, Sending


async def test_records_arrive_in_order_and_are_acknowledged(
    sending: Sending, collector: FakeCollector, counters: Counters
) -> None:
    for n in range(10):
        sending.add(name=f"work_{n % 2}")
    await sending.done()
    assert [batch.sequence for batch in collector.batches] == list(range(1, 11))
    assert collector.stored[2] == [("a", ("main", "work_1"))]
    assert counters.get(Count.RECORDS_ACKNOWLEDGED) == 10
    assert collector.hellos[0].epoch == sending.spool.epoch
    assert collector.hellos[0].targets == 3


async def test_definitions_are_sent_once_a_stream(sending: Sending, collector: FakeCollector) -> None:
    sending.add(3)
    await sending.done()
    kinds = [request.WhichOneof("message") for request in collector.streams[0]]
    assert kinds == ["hello", "definitions", "batch", "batch", "batch"]


async def test_no_more_than_the_welcome_allows_is_in_flight(
    sending: Sending, collector: FakeCollector, eventually: Eventually
) -> None:
    held = asyncio.Event()

    async def hold(_: object, batch: pb.Batch) -> pb.StreamResponse:
        await held.wait()
        return pb.StreamResponse(ack=pb.Ack(sequence=batch.sequence))

    collector.welcome.max_in_flight = 2
    collector.behaviour = hold
    sending.add(5)
    sending.exporter.start()
    await eventually(lambda: sending.exporter.status.in_flight == 2)
    await asyncio.sleep(0)
    assert sending.exporter.status.in_flight == 2
    held.set()
    await eventually(lambda: sending.spool.pending() == 0)


async def test_one_cumulative_acknowledgement_settles_all(sending: Sending, collector: FakeCollector) -> None:
    async def every_fourth(_: object, batch: pb.Batch) -> pb.StreamResponse | None:
        return pb.StreamResponse(ack=pb.Ack(sequence=batch.sequence)) if batch.sequence % 4 == 0 else None

    collector.behaviour = every_fourth
    sending.add(8)
    await sending.done()
    assert sending.spool.acknowledged == 8


async def test_a_broken_stream_is_resumed_with_the_same_sequences(sending: Sending, collector: FakeCollector) -> None:
    async def break_once(fake: FakeCollector, batch: pb.Batch) -> pb.StreamResponse:
        if batch.sequence == 2 and len(fake.streams) == 1:
            raise RuntimeError("broken on purpose")
        return pb.StreamResponse(ack=pb.Ack(sequence=batch.sequence))

    collector.behaviour = break_once
    sending.add(3)
    await sending.done()
    assert len(collector.streams) == 2
    assert [r.WhichOneof("message") for r in collector.streams[1]][:3] == ["hello", "definitions", "batch"]
    assert sorted(collector.stored) == [1, 2, 3]


async def test_a_wrong_token_is_a_visible_state_and_the_file_is_read_again(
    *,
    collector: FakeCollector,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
    tmp_path: Path,
    clock: FakeClock,
) -> None:
    token = tmp_path / "token"
    token.write_text("wrong\n")
    collector.token = "right"
    spool = open_()
    spool.append(*record())
    one = exporter(spool, token_file=token)
    seen: list[tuple[ExportState, str, float]] = []

    async def watched_sleep(seconds: float) -> None:
        seen.append((one.status.state, one.status.detail, seconds))
        token.write_text("right\n")
        await asyncio.sleep(0)

    clock.sleep = watched_sleep  # type: ignore[method-assign]
    one.start()
    await eventually(lambda: spool.pending() == 0)
    assert seen[0][:2] == (ExportState.UNAUTHENTICATED, "UNAUTHENTICATED: unknown token")
    assert seen[0][2] >= 30
    assert one.status.state is ExportState.STREAMING


async def test_a_collector_that_takes_no_more_streams_now_is_asked_again_with_growing_pauses(
    sending: Sending, collector: FakeCollector, counters: Counters, clock: FakeClock
) -> None:
    pauses: list[float] = []

    async def kept(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    clock.sleep = kept  # type: ignore[method-assign]
    collector.too_many = 8
    sending.add(2)
    await sending.done()
    assert sorted(collector.stored) == [1, 2]
    assert counters.get(Count.CONNECTION_FAILURES, "resource_exhausted") == 8
    assert counters.get(Count.RECORDS_DROPPED) == 0
    assert 0.25 <= pauses[0] <= 0.5
    assert 7.5 <= pauses[7] <= 15.0


async def test_a_missing_token_file_is_a_visible_state(
    open_: Callable[..., Spool], exporter: Callable[..., Exporter], eventually: Eventually, tmp_path: Path
) -> None:
    one = exporter(open_(), token_file=tmp_path / "absent")
    one.start()
    await eventually(lambda: one.status.state is ExportState.UNAUTHENTICATED)
    assert "absent: No such file" in one.status.detail


async def test_no_collector_is_waited_for_with_growing_pauses(
    open_: Callable[..., Spool],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
    clock: FakeClock,
    counters: Counters,
) -> None:
    one = exporter(open_())
    one.start()
    await eventually(lambda: len(clock.slept) >= 8)
    assert one.status.state in {ExportState.UNREACHABLE, ExportState.CONNECTING}
    assert 0.25 <= clock.slept[0] <= 0.5
    assert 7.5 <= clock.slept[7] <= 15
    assert counters.get(Count.CONNECTION_FAILURES, "unavailable") >= 8


async def test_the_clock_offset_is_measured(
    sending: Sending, collector: FakeCollector, eventually: Eventually, clock: FakeClock
) -> None:
    collector.welcome.received_unix_ns = clock.wall + 2_000_000_000
    collector.welcome.sent_unix_ns = clock.wall + 2_000_000_000
    sending.exporter.start()
    await eventually(lambda: sending.exporter.status.state is ExportState.STREAMING)
    assert sending.exporter.clock_offset_ns == 2_000_000_000


async def test_commands_are_handed_over(
    collector: FakeCollector, open_: Callable[..., Spool], exporter: Callable[..., Exporter], eventually: Eventually
) -> None:
    collector.controls = [
        pb.Control(set_rate=pb.SetRate(service="shop", rate_hz=20)),
        pb.Control(),
        pb.Control(pause=pb.Pause(seconds=5)),
    ]
    commands: list[Command] = []
    exporter(open_(), on_command=commands.append).start()
    await eventually(lambda: len(commands) == 2)
    assert commands == [SetRate("shop", 20), Pause("", 5)]


async def test_a_full_dictionary_begins_a_new_stream(
    sending: Sending, collector: FakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MAX_DEFINITIONS", 8)
    for n in range(12):
        sending.add(name=f"work_{n}")
    await sending.done()
    assert len(collector.streams) > 1
    assert len(collector.stored) == 12
    assert collector.stored[12] == [("a", ("main", "work_11"))]


async def test_closing_sends_what_is_left(
    sending: Sending, collector: FakeCollector, eventually: Eventually, counters: Counters
) -> None:
    one = sending.exporter
    one.start()
    await eventually(lambda: one.status.state is ExportState.STREAMING)
    sending.add(20)
    assert await one.close(10) == 0
    assert len(collector.stored) == 20
    assert counters.get(Count.CONNECTION_FAILURES) == 0
    assert one.status.state is ExportState.STOPPED


async def test_closing_waits_until_the_spool_knows_what_was_acknowledged(
    sending: Sending, collector: FakeCollector, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else another stream would send it again."""
    spool, one = sending.spool, sending.exporter
    acknowledge, read = spool.acknowledge, spool.read
    asked, known, looked = threading.Event(), threading.Event(), threading.Event()

    def slowly(sequence: int) -> None:
        asked.set()
        known.wait(20)
        acknowledge(sequence)

    def watched(after: int, limit: int) -> list[Record]:
        found = read(after, limit)
        if asked.is_set() and not found:
            looked.set()
        return found

    monkeypatch.setattr(spool, "acknowledge", slowly)
    monkeypatch.setattr(spool, "read", watched)
    sending.add()
    one.start()
    await eventually(asked.is_set)
    closing = asyncio.create_task(one.close(10))
    await eventually(looked.is_set)
    # What it does about it, it does now.
    for _ in range(50):
        await asyncio.sleep(0)
    known.set()
    assert await closing == 0
    assert len(collector.streams) == len(collector.batches) == 1


async def test_closing_gives_up_in_time_without_a_collector(
    open_: Callable[..., Spool], record: Callable[..., Any], exporter: Callable[..., Exporter]
) -> None:
    spool = open_()
    spool.append(*record())
    one = exporter(spool)
    one.start()
    assert await one.close(5) == 1


async def test_a_record_above_the_collectors_limit_is_dropped(
    sending: Sending, collector: FakeCollector, counters: Counters
) -> None:
    collector.welcome.max_message_bytes = 2_000
    sending.add(padding=5_000)
    sending.add()
    await sending.done()
    assert sorted(collector.stored) == [2]
    assert counters.get(Count.RECORDS_DROPPED, "too_large") == 1


async def test_an_unreadable_record_is_left_out(sending: Sending, collector: FakeCollector, counters: Counters) -> None:
    sending.spool.append(pb.Definitions(), pb.Batch(windows=[pb.Window(process=1)]))
    sending.add()
    await sending.done()
    assert sorted(collector.stored) == [2]
    assert counters.get(Count.RECORDS_DROPPED, "unreadable") == 1
