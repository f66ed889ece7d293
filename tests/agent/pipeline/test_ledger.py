"""CPU of a process over several runs of the agent: each nanosecond is in one window, whatever ended a run."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from pivotscope.profile.window import Process, Usage, Window
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.pipeline import opening
from pivotscope_agent.pipeline.encode import encode
from pivotscope_agent.pipeline.ledger import Ledger, recover
from pivotscope_agent.pipeline.notes import Entry, Notes
from pivotscope_agent.pipeline.spool import Spool, SpoolSettings
from pivotscope_agent.telemetry.counters import Count, Counters

OWN = os.getpid()
STARTED = 1_700_000_000_000_000_000
Open = Callable[..., Spool]


class Time(Protocol):
    """The fixture, as these tests use it."""

    def advance(self, seconds: float) -> None: ...


class Disk(Protocol):
    """The fixture, as these tests use it."""

    failing: dict[str, int]

    def fail(self, code: int, *calls: str) -> None: ...


@pytest.fixture
def process(window: Callable[..., Window]) -> Process:
    return replace(window().process, pid=OWN, started_unix_ns=STARTED)


@pytest.fixture
def spend(window: Callable[..., Window], process: Process) -> Callable[..., Window]:
    """A window that accounts for so much CPU, as gap and in its time."""

    def make(cpu_ns: int, gap_ns: int = 0, padding: int = 0) -> Window:
        usage = Usage(cpu_user_ns=cpu_ns)
        return window(process=process, usage=usage, gap_cpu_ns=gap_ns, rows=1, reason="x" * padding)

    return make


def spool_window(spool: Spool, window: Window) -> Window:
    """As the pipeline does; returns the window as it was spooled."""
    (settled,) = spool.ledger.settle([window])
    (record,) = encode([settled], clock_offset_ns=0, max_batch_bytes=1 << 20).records
    spool.append(record.definitions, record.batch)
    assert isinstance(settled, Window)
    return settled


def kill(spool: Spool) -> None:
    """As the kernel does: the lock goes, and nothing else happens."""
    os.close(spool._folder_lock or 0)


def test_a_process_counts_from_where_it_was_first_seen(open_: Open, process: Process) -> None:
    assert open_().ledger.begin(process, 5, 1_000) == 1_000


def test_the_next_run_begins_where_spooled_windows_ended(
    open_: Open, process: Process, spend: Callable[..., Window]
) -> None:
    spool = open_()
    spool.ledger.begin(process, 5, 1_000)
    spool_window(spool, spend(300, gap_ns=50))
    spool_window(spool, spend(200))
    kill(spool)  # whatever was seen beyond these windows dies with it
    assert open_().ledger.begin(process, 5, 9_000) == 1_550


def test_a_clean_end_and_an_acknowledgement_change_nothing(
    open_: Open, process: Process, spend: Callable[..., Window], clock: Time
) -> None:
    spool = open_()
    spool.ledger.begin(process, 5, 1_000)
    spool_window(spool, spend(300))
    spool.acknowledge(1)
    clock.advance(10)
    spool_window(spool, spend(200))
    spool.acknowledge(2)
    spool.close()
    again = open_()
    assert again.ledger.begin(process, 5, 9_000) == 1_500
    spool_window(again, spend(0, gap_ns=7_500))
    kill(again)
    assert open_().ledger.begin(process, 5, 9_000) == 9_000


def test_the_account_of_a_process_without_windows_is_kept(open_: Open, process: Process) -> None:
    spool = open_()
    spool.ledger.begin(process, 5, 1_000)
    spool.save()
    kill(spool)
    assert open_().ledger.begin(process, 5, 4_000) == 1_000


def test_a_torn_record_was_never_booked(
    open_: Open, process: Process, spend: Callable[..., Window], tmp_path: Path
) -> None:
    spool = open_()
    spool.ledger.begin(process, 5, 1_000)
    spool_window(spool, spend(300))
    whole = spool.size
    spool_window(spool, spend(200))
    kill(spool)
    (segment,) = (tmp_path / "spool").glob("*.segment")
    data = segment.read_bytes()
    segment.write_bytes(data[: whole + (len(data) - whole) // 2])
    assert open_().ledger.begin(process, 5, 9_000) == 1_300


def test_another_process_with_the_same_pid_has_an_account_of_its_own(
    open_: Open, process: Process, spend: Callable[..., Window]
) -> None:
    spool = open_()
    spool.ledger.begin(process, 5, 1_000)
    spool_window(spool, spend(300))
    kill(spool)
    assert open_().ledger.begin(process, 6, 40) == 40


def test_another_boot_has_other_processes(
    open_: Open, process: Process, spend: Callable[..., Window], monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = open_()
    spool.ledger.begin(process, 5, 1_000)
    spool_window(spool, spend(300))
    kill(spool)
    monkeypatch.setattr(opening, "read_boot", lambda: "another")
    again = open_()
    assert again.ledger.begin(process, 5, 9_000) == 9_000
    assert again.pending() == 1


def test_cpu_of_records_that_were_never_sent_goes_to_the_next_window(
    open_: Open, process: Process, spend: Callable[..., Window]
) -> None:
    spool = open_(max_bytes=16_000)
    spool.ledger.begin(process, 5, 0)
    windows = [spool_window(spool, spend(100, padding=1_000)) for _ in range(50)]
    dropped = spool.dropped["spool_full"]
    assert dropped > 30
    kept = sum(100 + one.gap_cpu_ns for one in windows[dropped:])
    assert kept + spool.ledger._owed.total() == 5_000
    kill(spool)
    assert open_().ledger.begin(process, 5, 9_000) == kept


def test_cpu_of_records_that_may_be_stored_is_not_given_a_second_time(
    open_: Open, process: Process, spend: Callable[..., Window]
) -> None:
    spool = open_(max_bytes=16_000)
    spool.ledger.begin(process, 5, 0)
    spool_window(spool, spend(100, padding=1_000))
    assert len(spool.read(0, 10)) == 1  # on its way; the acknowledgement never comes
    windows = [spool_window(spool, spend(1, padding=1_000)) for _ in range(30)]
    assert sum(one.gap_cpu_ns for one in windows) < 30


def test_records_in_memory_count_when_they_are_acknowledged(
    *, open_: Open, process: Process, spend: Callable[..., Window], files: Disk, clock: Time
) -> None:
    spool = open_()
    spool.ledger.begin(process, 5, 1_000)
    spool_window(spool, spend(100))
    files.fail(28, "write", "create")
    spool_window(spool, spend(20))
    spool_window(spool, spend(3))
    assert not spool.on_disk
    spool.read(0, 10)
    spool.acknowledge(2)
    clock.advance(60)
    kill(spool)
    files.failing.clear()
    again = open_()
    assert again.ledger.begin(process, 5, 9_000) == 1_120
    assert [record.sequence for record in again.read(0, 10)] == []


def test_a_loop_that_begins_again_goes_on_where_it_left(process: Process) -> None:
    ledger = Ledger()
    assert ledger.begin(process, 5, 100) == 100
    ledger.leave(process, 700)
    assert ledger.begin(process, 5, 900) == 700


def test_windows_that_never_became_a_record_are_owed(process: Process, spend: Callable[..., Window]) -> None:
    ledger = Ledger()
    ledger.begin(process, 5, 0)
    ledger.owe([spend(100, gap_ns=10), spend(5)])
    settled = ledger.settle([spend(1), spend(2)])
    assert [item.gap_cpu_ns for item in settled if isinstance(item, Window)] == [115, 0]


def test_accounts_of_processes_that_ended_are_closed(process: Process) -> None:
    ledger = Ledger({(1, 2): 3})
    ledger.begin(process, 5, 0)
    ledger.prune(lambda key: key[0] == OWN)
    assert ledger.accounts() == {(OWN, 5): 0}


def test_drops_are_told_once_and_counted_for_ever(open_: Open, record: Callable[..., Any]) -> None:
    spool = open_()
    spool.note_dropped("backlog", 3)
    spool.append(*record())
    spool.note_dropped("backlog", 2)
    spool.save()
    kill(spool)
    again = open_()
    again.append(*record())
    told = [dict(pb.Batch.FromString(one.batch).dropped) for one in again.read(0, 10)]
    assert told == [{"backlog": 3}, {"backlog": 2}]
    again.close()
    assert dict(open_().dropped) == {"backlog": 5}


def test_counts_of_drops_begin_where_those_before_ended(
    open_: Open, tmp_path: Path, clock: Any, record: Callable[..., Any]
) -> None:
    spool = open_(max_bytes=16_000)
    spool.note_dropped("backlog", 3)
    for _ in range(20):
        spool.append(*record(padding=1_000))
    before = spool.dropped["spool_full"]
    spool.close()
    counters = Counters()
    opening.open_spool(SpoolSettings(tmp_path / "spool"), counters=counters, clock=clock).close()
    counted = counters.get(Count.ITEMS_DROPPED, "backlog"), counters.get(Count.RECORDS_DROPPED, "spool_full")
    assert counted == (3, before)


def test_drops_told_by_a_record_that_is_dropped_are_told_again(open_: Open, record: Callable[..., Any]) -> None:
    spool = open_(max_bytes=16_000)
    spool.note_dropped("backlog", 3)
    for _ in range(50):
        spool.append(*record(padding=1_000))
    told = [pb.Batch.FromString(one.batch).dropped["backlog"] for one in spool.read(0, 100)]
    assert sum(told) == 3


def test_notes_survive_as_bytes_and_others_are_nothing() -> None:
    notes = Notes((Entry(1, 2, 3, 4),), {"torn": 5})
    assert Notes.unpack(notes.pack()) == notes
    assert Notes().pack() == b""
    for data in (b"", b"[]", b"{", b'{"cpu":[[1,2]]}', b"\xff"):
        assert Notes.unpack(data) == Notes()


def test_entries_raise_accounts_that_the_state_did_not_know() -> None:
    entries = [Entry(1, 2, 100, 10), Entry(1, 2, 100, 5), Entry(3, 4, 7, 1)]
    assert recover({(3, 4): 50}, entries) == {(1, 2): 115, (3, 4): 51}
