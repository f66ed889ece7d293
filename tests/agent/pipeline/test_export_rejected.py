"""What the agent does with batches that the collector refuses."""

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.pipeline import session
from pivotscope_agent.telemetry.counters import Count, Counters

from tests.agent.pipeline.conftest import Eventually, FakeClock, FakeCollector, Sending


def reject(batch: pb.Batch, reason: pb.RejectionReason.ValueType, *, retryable: bool) -> pb.StreamResponse:
    return pb.StreamResponse(rejection=pb.Rejection(sequence=batch.sequence, reason=reason, retryable=retryable))


@pytest.mark.parametrize("reason", [pb.REJECTION_REASON_UNKNOWN_REFERENCE, pb.REJECTION_REASON_OVERLOADED])
async def test_a_retryable_rejection_is_sent_again_with_definitions(
    *,
    sending: Sending,
    collector: FakeCollector,
    clock: FakeClock,
    reason: pb.RejectionReason.ValueType,
) -> None:
    refused: list[pb.Batch] = []

    async def refuse_the_second_once(_: object, batch: pb.Batch) -> pb.StreamResponse | None:
        if refused and batch.sequence > 2 and len(collector.stored) < 2:
            return reject(batch, pb.REJECTION_REASON_OUT_OF_ORDER, retryable=True)
        if batch.sequence == 2 and not refused:
            refused.append(batch)
            return reject(batch, reason, retryable=True)
        return pb.StreamResponse(ack=pb.Ack(sequence=batch.sequence))

    collector.behaviour = refuse_the_second_once
    sending.add(4)
    await sending.done()
    assert len(collector.streams) == 1
    assert sorted(collector.stored) == [1, 2, 3, 4]
    second = [
        n for n, r in enumerate(collector.streams[0]) if r.WhichOneof("message") == "batch" and r.batch.sequence == 2
    ]
    before = collector.streams[0][second[1] - 1]
    assert before.WhichOneof("message") == "definitions"
    assert [function.qualified_name for function in before.definitions.functions] == ["main", "work"]
    assert clock.slept


async def test_a_final_rejection_is_dropped_and_told(
    *,
    sending: Sending,
    collector: FakeCollector,
    eventually: Eventually,
    counters: Counters,
) -> None:
    async def refuse_the_second(_: object, batch: pb.Batch) -> pb.StreamResponse | None:
        if batch.sequence == 2:
            return reject(batch, pb.REJECTION_REASON_INVALID, retryable=False)
        return pb.StreamResponse(ack=pb.Ack(sequence=batch.sequence))

    collector.behaviour = refuse_the_second
    sending.add(2)
    await sending.done()
    assert counters.get(Count.RECORDS_REJECTED, "invalid") == 1
    assert counters.get(Count.RECORDS_DROPPED, "rejected_invalid") == 1
    sending.add()
    sending.exporter.wake()
    await eventually(lambda: 3 in collector.stored)
    assert dict(collector.batches[-1].dropped) == {"rejected_invalid": 1}


async def test_a_record_that_is_never_understood_does_not_block_the_others(
    sending: Sending, collector: FakeCollector, counters: Counters
) -> None:
    async def never_the_first(_: object, batch: pb.Batch) -> pb.StreamResponse | None:
        if batch.sequence == 1:
            return reject(batch, pb.REJECTION_REASON_UNKNOWN_REFERENCE, retryable=True)
        return pb.StreamResponse(ack=pb.Ack(sequence=batch.sequence))

    collector.behaviour = never_the_first
    collector.welcome.max_in_flight = 1
    sending.add(2)
    await sending.done()
    assert counters.get(Count.RECORDS_REJECTED, "unknown_reference") >= session.MAX_TRIES
    assert counters.get(Count.RECORDS_DROPPED, "rejected_unknown_reference") == 1


async def test_what_is_left_out_of_a_record_is_counted_once_and_the_record_is_stored(
    sending: Sending, collector: FakeCollector, counters: Counters
) -> None:
    parts = [
        pb.RefusedPart(kind=pb.PART_KIND_WINDOW, reason=pb.REJECTION_REASON_INVALID, measured=True),
        pb.RefusedPart(kind=pb.PART_KIND_POINT, position=3, reason=pb.REJECTION_REASON_CARDINALITY),
    ]

    async def store_the_first_in_part(_: object, batch: pb.Batch) -> pb.StreamResponse | None:
        if batch.sequence == 1:
            return pb.StreamResponse(rejection=pb.Rejection(sequence=1, reason=parts[0].reason, parts=parts))
        if batch.sequence == 2 and len(collector.streams) == 1:
            raise RuntimeError("the stream breaks before it is acknowledged")
        return pb.StreamResponse(ack=pb.Ack(sequence=batch.sequence))

    collector.behaviour = store_the_first_in_part
    sending.add(2)
    await sending.done()
    assert len(collector.streams) > 1
    assert [batch.sequence for batch in collector.batches].count(1) > 1
    assert counters.get(Count.ITEMS_DROPPED, "part_invalid") == 1
    assert counters.get(Count.ITEMS_DROPPED, "part_cardinality") == 1
    assert counters.get(Count.RECORDS_DROPPED) == 0
    assert counters.get(Count.RECORDS_REJECTED) == 0
    assert sending.spool.dropped == {"part_invalid": 1, "part_cardinality": 1}
