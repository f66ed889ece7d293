import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.pipeline import session
from pivotscope_agent.pipeline.control import Command, Pause, SetRate
from pivotscope_agent.pipeline.export import Exporter, ExportState
from pivotscope_agent.pipeline.spool import Spool
from pivotscope_agent.telemetry.counters import Count, Counters

from tests.agent.pipeline.conftest import Eventually, FakeClock, FakeCollector


async def test_records_arrive_in_order_and_are_acknowledged(
    *,
    collector: FakeCollector,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
    counters: Counters,
) -> None:
    spool = open_()
    for n in range(10):
        spool.append(*record(f"work_{n % 2}"))
    exporter(spool).start()
    await eventually(lambda: spool.pending() == 0)
    assert [batch.sequence for batch in collector.batches] == list(range(1, 11))
    assert collector.stored[2] == [("a", ("main", "work_1"))]
    assert counters.get(Count.RECORDS_ACKNOWLEDGED) == 10
    assert collector.hellos[0].epoch == spool.epoch
    assert collector.hellos[0].targets == 3


async def test_definitions_are_sent_once_a_stream(
    collector: FakeCollector,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
) -> None:
    spool = open_()
    for _ in range(3):
        spool.append(*record())
    exporter(spool).start()
    await eventually(lambda: spool.pending() == 0)
    kinds = [request.WhichOneof("message") for request in collector.streams[0]]
    assert kinds == ["hello", "definitions", "batch", "batch", "batch"]


async def test_no_more_than_the_welcome_allows_is_in_flight(
    collector: FakeCollector,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
) -> None:
    held = asyncio.Event()

    async def hold(_: object, batch: pb.Batch) -> pb.StreamResponse:
        await held.wait()
        return pb.StreamResponse(ack=pb.Ack(sequence=batch.sequence))

    collector.welcome.max_in_flight = 2
    collector.behaviour = hold
    spool = open_()
    for _ in range(5):
        spool.append(*record())
    one = exporter(spool)
    one.start()
    await eventually(lambda: one.status.in_flight == 2)
    await asyncio.sleep(0)
    assert one.status.in_flight == 2
    held.set()
    await eventually(lambda: spool.pending() == 0)


async def test_one_cumulative_acknowledgement_settles_all(
    collector: FakeCollector,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
) -> None:
    async def every_fourth(_: object, batch: pb.Batch) -> pb.StreamResponse | None:
        return pb.StreamResponse(ack=pb.Ack(sequence=batch.sequence)) if batch.sequence % 4 == 0 else None

    collector.behaviour = every_fourth
    spool = open_()
    for _ in range(8):
        spool.append(*record())
    exporter(spool).start()
    await eventually(lambda: spool.acknowledged == 8)


async def test_a_broken_stream_is_resumed_with_the_same_sequences(
    collector: FakeCollector,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
) -> None:
    async def break_once(fake: FakeCollector, batch: pb.Batch) -> pb.StreamResponse:
        if batch.sequence == 2 and len(fake.streams) == 1:
            raise RuntimeError("broken on purpose")
        return pb.StreamResponse(ack=pb.Ack(sequence=batch.sequence))

    collector.behaviour = break_once
    spool = open_()
    for _ in range(3):
        spool.append(*record())
    exporter(spool).start()
    await eventually(lambda: spool.pending() == 0)
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
    collector: FakeCollector,
    open_: Callable[..., Spool],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
    clock: FakeClock,
) -> None:
    collector.welcome.received_unix_ns = clock.wall + 2_000_000_000
    collector.welcome.sent_unix_ns = clock.wall + 2_000_000_000
    one = exporter(open_())
    one.start()
    await eventually(lambda: one.status.state is ExportState.STREAMING)
    assert one.clock_offset_ns == 2_000_000_000


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
    *,
    collector: FakeCollector,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "MAX_DEFINITIONS", 8)
    spool = open_()
    for n in range(12):
        spool.append(*record(f"work_{n}"))
    exporter(spool).start()
    await eventually(lambda: spool.pending() == 0)
    assert len(collector.streams) > 1
    assert len(collector.stored) == 12
    assert collector.stored[12] == [("a", ("main", "work_11"))]


async def test_closing_sends_what_is_left(
    *,
    collector: FakeCollector,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
    counters: Counters,
) -> None:
    spool = open_()
    one = exporter(spool)
    one.start()
    await eventually(lambda: one.status.state is ExportState.STREAMING)
    for _ in range(20):
        spool.append(*record())
    assert await one.close(10) == 0
    assert len(collector.stored) == 20
    assert counters.get(Count.CONNECTION_FAILURES) == 0
    assert one.status.state is ExportState.STOPPED


async def test_closing_gives_up_in_time_without_a_collector(
    open_: Callable[..., Spool], record: Callable[..., Any], exporter: Callable[..., Exporter]
) -> None:
    spool = open_()
    spool.append(*record())
    one = exporter(spool)
    one.start()
    assert await one.close(5) == 1


async def test_a_record_above_the_collectors_limit_is_dropped(
    *,
    collector: FakeCollector,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
    counters: Counters,
) -> None:
    collector.welcome.max_message_bytes = 2_000
    spool = open_()
    spool.append(*record(padding=5_000))
    spool.append(*record())
    exporter(spool).start()
    await eventually(lambda: spool.pending() == 0)
    assert sorted(collector.stored) == [2]
    assert counters.get(Count.RECORDS_DROPPED, "too_large") == 1


async def test_an_unreadable_record_is_left_out(
    *,
    collector: FakeCollector,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
    counters: Counters,
) -> None:
    spool = open_()
    spool.append(pb.Definitions(), pb.Batch(windows=[pb.Window(process=1)]))
    spool.append(*record())
    exporter(spool).start()
    await eventually(lambda: spool.pending() == 0)
    assert sorted(collector.stored) == [2]
    assert counters.get(Count.RECORDS_DROPPED, "unreadable") == 1
