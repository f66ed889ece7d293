import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.pipeline import state as states
from pivotscope_agent.pipeline.files import Files
from pivotscope_agent.pipeline.opening import SpoolLockedError
from pivotscope_agent.pipeline.spool import Spool
from pivotscope_agent.pipeline.state import UNCLEAN_GAP
from pivotscope_agent.telemetry.counters import Count, Counters


class Time(Protocol):
    """The fixture, as these tests use it."""

    def advance(self, seconds: float) -> None: ...


class Disk(Protocol):
    """The fixture, as these tests use it."""

    failing: dict[str, int]
    synced: int

    def fail(self, code: int, *calls: str) -> None: ...


def sequences(spool: Spool, after: int = 0) -> list[int]:
    return [record.sequence for record in spool.read(after, limit=1_000)]


def test_records_come_back_in_order_with_their_content(open_: Callable[..., Spool], record: Callable[..., Any]) -> None:
    spool = open_()
    for n in range(3):
        assert spool.append(*record(f"work_{n}")) == n + 1
    third = spool.read(2)[0]
    assert pb.Batch.FromString(third.batch).sequence == 3
    assert pb.Definitions.FromString(third.definitions).functions[1].qualified_name == "work_2"
    assert sequences(spool) == [1, 2, 3]
    assert sequences(spool, after=1) == [2, 3]


def test_a_clean_end_continues_where_it_stopped(open_: Callable[..., Spool], record: Callable[..., Any]) -> None:
    spool = open_()
    spool.append(*record())
    spool.append(*record())
    spool.acknowledge(1)
    spool.close()
    again = open_()
    assert again.epoch == spool.epoch
    assert sequences(again) == [2]
    assert again.append(*record()) == 3


def test_sequences_are_never_used_twice_after_a_crash(open_: Callable[..., Spool], record: Callable[..., Any]) -> None:
    spool = open_()
    spool.append(*record())
    os.close(spool._folder_lock or 0)  # as the kernel does when the process is killed
    again = open_()
    assert again.epoch == spool.epoch
    assert again.append(*record()) > UNCLEAN_GAP
    assert sequences(again)[0] == 1


def test_a_lost_state_keeps_the_epoch_of_the_segments(
    open_: Callable[..., Spool], record: Callable[..., Any], tmp_path: Path
) -> None:
    spool = open_()
    spool.append(*record())
    spool.close()
    for name in states.NAMES:
        (tmp_path / "spool" / name).write_text("{torn")
    again = open_()
    assert again.epoch == spool.epoch
    assert again.append(*record()) > UNCLEAN_GAP


def test_a_new_folder_has_a_new_and_higher_epoch(open_: Callable[..., Spool], tmp_path: Path, clock: Time) -> None:
    spool = open_()
    spool.close()
    clock.advance(1)
    for path in (tmp_path / "spool").iterdir():
        path.unlink()
    assert open_().epoch > spool.epoch


def test_a_torn_tail_is_cut_off(
    open_: Callable[..., Spool], record: Callable[..., Any], tmp_path: Path, counters: Counters
) -> None:
    spool = open_()
    spool.append(*record())
    spool.append(*record())
    spool.close()
    (segment,) = (tmp_path / "spool").glob("*.segment")
    segment.write_bytes(segment.read_bytes()[:-3])
    again = open_()
    assert sequences(again) == [1]
    assert counters.get(Count.RECORDS_DROPPED, "torn") == 1
    again.append(*record())
    again.close()
    assert len(sequences(open_())) == 2


def test_a_damaged_record_is_counted_and_left_out(
    open_: Callable[..., Spool], record: Callable[..., Any], tmp_path: Path, counters: Counters
) -> None:
    spool = open_()
    for _ in range(3):
        spool.append(*record())
    (segment,) = (tmp_path / "spool").glob("*.segment")
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 0xFF
    segment.write_bytes(data)
    assert sequences(spool) == [1, 3]
    assert counters.get(Count.RECORDS_DROPPED, "unreadable") == 1


def test_two_agents_cannot_share_a_spool(open_: Callable[..., Spool]) -> None:
    spool = open_()
    with pytest.raises(SpoolLockedError, match="another agent uses this spool"):
        open_()
    spool.close()
    open_()


def test_the_oldest_is_dropped_when_the_spool_is_full_and_the_next_batch_tells(
    open_: Callable[..., Spool], record: Callable[..., Any], counters: Counters
) -> None:
    spool = open_(max_bytes=64_000)
    for _ in range(100):
        spool.append(*record(padding=2_000))
    kept = sequences(spool)
    assert kept[-1] == 100
    assert kept == list(range(kept[0], 101))
    assert spool.size <= 64_000
    dropped = counters.get(Count.RECORDS_DROPPED, "spool_full")
    assert dropped == 100 - len(kept)
    told = [pb.Batch.FromString(one.batch).dropped.get("spool_full", 0) for one in spool.read(0, 1_000)]
    assert 0 < sum(told) <= dropped


def test_old_records_expire(
    open_: Callable[..., Spool], record: Callable[..., Any], clock: Time, counters: Counters
) -> None:
    spool = open_(max_age_s=60)
    spool.append(*record())
    clock.advance(61)
    spool.append(*record())
    assert sequences(spool) == [2]
    assert counters.get(Count.RECORDS_DROPPED, "spool_age") == 1


def test_acknowledged_segments_are_removed(
    open_: Callable[..., Spool], record: Callable[..., Any], tmp_path: Path
) -> None:
    spool = open_(segment_bytes=4_000)
    for _ in range(10):
        spool.append(*record(padding=3_000))
    assert len(list((tmp_path / "spool").glob("*.segment"))) == 10
    spool.acknowledge(9)
    assert len(list((tmp_path / "spool").glob("*.segment"))) == 1
    assert spool.pending() == 1


def test_the_acknowledged_position_is_written_lazily(
    open_: Callable[..., Spool], record: Callable[..., Any], tmp_path: Path, clock: Time
) -> None:
    spool = open_()
    for _ in range(3):
        spool.append(*record())

    def saved() -> int:
        state = states.load(tmp_path / "spool", Files())
        return state.acknowledged if state else -1

    spool.acknowledge(1)
    assert saved() == 0
    clock.advance(6)
    spool.acknowledge(2)
    assert saved() == 2


def test_nothing_but_the_state_stays_of_a_spool_that_was_sent(
    open_: Callable[..., Spool], record: Callable[..., Any], tmp_path: Path
) -> None:
    spool = open_()
    spool.append(*record())
    spool.acknowledge(1)
    spool.close()
    assert {path.name for path in (tmp_path / "spool").iterdir()} == set(states.NAMES)
    assert open_().append(*record()) == 2


def test_acknowledging_more_than_was_given_out_is_harmless(
    open_: Callable[..., Spool], record: Callable[..., Any]
) -> None:
    spool = open_()
    spool.append(*record())
    spool.acknowledge(999)
    assert spool.append(*record()) == 2
    assert sequences(spool) == [2]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_failing_disk_is_replaced_by_memory_and_tried_again(
    *,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    files: Disk,
    counters: Counters,
    clock: Time,
    caplog: pytest.LogCaptureFixture,
    code: int,
) -> None:
    spool = open_()
    spool.append(*record())
    files.fail(code, "write")
    with caplog.at_level(logging.WARNING, "pivotscope_agent"):
        spool.append(*record())
        spool.append(*record())
    assert "kept in memory" in caplog.text
    assert counters.get(Count.SPOOL_ERRORS, errno.errorcode[code]) > 0
    states = [spool.on_disk]
    files.failing.clear()
    spool.append(*record())
    states.append(spool.on_disk)
    clock.advance(31)
    spool.append(*record())
    states.append(spool.on_disk)
    assert states == [False, False, True]
    assert sequences(spool) == [1, 2, 3, 4, 5]
    spool.acknowledge(4)
    spool.close()
    assert sequences(open_()) == [5]


def test_memory_is_bounded_too(
    open_: Callable[..., Spool], record: Callable[..., Any], files: Disk, counters: Counters
) -> None:
    spool = open_(memory_bytes=32_000)
    files.fail(errno.ENOSPC, "write")
    for _ in range(100):
        spool.append(*record(padding=1_000))
    assert spool.size <= 32_000
    assert counters.get(Count.RECORDS_DROPPED, "memory_full") == 100 - spool.pending()
    assert sequences(spool)[-1] == 100


@pytest.mark.parametrize(
    ("call", "code"), [("make_folder", errno.EROFS), ("reserve", errno.ENOSPC), ("read", errno.EIO)]
)
def test_a_folder_that_cannot_be_used_at_start_gives_a_spool_in_memory(
    *,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    files: Disk,
    counters: Counters,
    caplog: pytest.LogCaptureFixture,
    call: str,
    code: int,
) -> None:
    open_().close()
    files.fail(code, call)
    with caplog.at_level(logging.WARNING, "pivotscope_agent"):
        spool = open_()
    assert "Give the agent a writable folder" in caplog.text
    assert not spool.on_disk
    spool.append(*record())
    assert sequences(spool) == [1]
    spool.close()
    assert counters.get(Count.RECORDS_DROPPED, "memory_only") == 1


def test_an_unreadable_disk_drops_and_counts(
    open_: Callable[..., Spool], record: Callable[..., Any], files: Disk, counters: Counters
) -> None:
    spool = open_()
    spool.append(*record())
    files.fail(errno.EIO, "read")
    assert sequences(spool) == []
    assert counters.get(Count.RECORDS_DROPPED, "unreadable") == 1
    assert counters.get(Count.SPOOL_ERRORS, "EIO") == 1


def test_a_record_larger_than_the_spool_is_dropped(
    open_: Callable[..., Spool], record: Callable[..., Any], counters: Counters
) -> None:
    spool = open_(max_bytes=8_000, memory_bytes=8_000)
    spool.append(*record(padding=9_000))
    assert sequences(spool) == []
    assert counters.get(Count.RECORDS_DROPPED, "larger_than_spool") == 1


def test_what_was_dropped_elsewhere_is_told_with_the_next_batch(
    open_: Callable[..., Spool], record: Callable[..., Any]
) -> None:
    spool = open_()
    spool.note_dropped("unencodable", 2)
    spool.append(*record())
    spool.append(*record())
    first, second = (pb.Batch.FromString(one.batch) for one in spool.read(0, 2))
    assert dict(first.dropped) == {"unencodable": 2}
    assert not second.dropped


def test_segments_are_synced_when_full_if_asked_for(
    open_: Callable[..., Spool], record: Callable[..., Any], files: Disk
) -> None:
    spool = open_(segment_bytes=4_000, sync=False)
    for _ in range(4):
        spool.append(*record(padding=3_000))
    assert files.synced == 2  # the state, and the folder, at opening
    spool.close()
    again = open_(segment_bytes=4_000)
    before = files.synced
    for _ in range(4):
        again.append(*record(padding=3_000))
    assert files.synced == before + 3
