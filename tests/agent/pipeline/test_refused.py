"""CPU of windows that the collector left out of a record."""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from pivotscope.profile.window import Process, Usage, Window
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.pipeline.encode import encode
from pivotscope_agent.pipeline.refused import left_out
from pivotscope_agent.pipeline.spool import Spool
from pivotscope_agent.telemetry.counters import Count, Counters

Open = Callable[..., Spool]
Spend = Callable[[int], Window]


@pytest.fixture
def process(window: Callable[..., Window]) -> Process:
    return replace(window().process, pid=os.getpid())


@pytest.fixture
def spend(window: Callable[..., Window], process: Process) -> Spend:
    """A window that accounts for so much CPU."""

    def make(cpu_ns: int) -> Window:
        return window(process=process, usage=Usage(cpu_user_ns=cpu_ns), gap_cpu_ns=0, rows=1)

    return make


def _spool(spool: Spool, *windows: Window) -> None:
    (record,) = encode(spool.ledger.settle(windows), clock_offset_ns=0, max_batch_bytes=1 << 20).records
    spool.append(record.definitions, record.batch)


def _refusal(*positions: int, measured: bool = False, reason: str = "INVALID") -> pb.Rejection:
    code = pb.RejectionReason.Value(f"REJECTION_REASON_{reason}")
    parts = [
        pb.RefusedPart(kind=pb.PART_KIND_WINDOW, position=one, reason=code, measured=measured) for one in positions
    ]
    return pb.Rejection(sequence=1, parts=parts)


def _gap(spool: Spool, window: Window) -> int:
    (settled,) = spool.ledger.settle([window])
    assert isinstance(settled, Window)
    return settled.gap_cpu_ns


def test_what_was_not_stored_is_owed_to_the_next_window(
    open_: Open, process: Process, spend: Spend, counters: Counters
) -> None:
    spool = open_()
    spool.ledger.begin(process, 5, 0)
    _spool(spool, spend(300), spend(70), spend(5))
    left_out(_refusal(0, 2), spool, counters)
    assert _gap(spool, spend(1)) == 305
    assert counters.get(Count.ITEMS_DROPPED, "part_invalid") == 2
    assert spool.dropped == {"part_invalid": 2}


def test_an_agent_that_ends_before_it_owes_to_the_next_run(
    open_: Open, process: Process, spend: Spend, counters: Counters
) -> None:
    spool = open_()
    spool.ledger.begin(process, 5, 0)
    _spool(spool, spend(300), spend(70))
    left_out(_refusal(0), spool, counters)
    spool.acknowledge(1)
    spool.close()
    assert open_().ledger.begin(process, 5, 1_000) == 70


@pytest.mark.parametrize(
    "refusal",
    [_refusal(0, measured=True), _refusal(0, reason="FORBIDDEN"), _refusal(9)],
    ids=["stored as failed", "may never be written", "not in the record"],
)
def test_what_is_stored_or_may_never_be_is_not_owed(
    open_: Open, process: Process, spend: Spend, counters: Counters, refusal: pb.Rejection
) -> None:
    spool = open_()
    spool.ledger.begin(process, 5, 0)
    _spool(spool, spend(300))
    left_out(refusal, spool, counters)
    assert _gap(spool, spend(1)) == 0


def test_cpu_that_nobody_can_believe_does_not_come_back(
    open_: Open, process: Process, spend: Spend, counters: Counters
) -> None:
    spool = open_()
    spool.ledger.begin(process, 5, 0)
    _spool(spool, spend(10**17))
    left_out(_refusal(0), spool, counters)
    assert _gap(spool, spend(1)) == 0


def test_what_the_run_before_may_have_owed_is_not_owed_again(
    open_: Open, process: Process, spend: Spend, counters: Counters
) -> None:
    spool = open_()
    spool.ledger.begin(process, 5, 0)
    _spool(spool, spend(300))
    spool.read(0)
    spool.close()
    again = open_()
    again.ledger.begin(process, 5, 300)
    left_out(_refusal(0), again, counters)
    assert _gap(again, spend(1)) == 0
