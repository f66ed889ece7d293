"""Group commit, with a list for a store."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.counters import Counters, Latency
from pivotscope_collector.errors import StoreAwayError, StoreError
from pivotscope_collector.ingest.committer import Committer, Outcome
from pivotscope_collector.ingest.refusal import Refusal
from pivotscope_collector.store.rows import Rows


def _rows(name: str) -> Rows:
    return Rows(codebases=[(name, 1, 1)])


def _names(group: Rows) -> list[object]:
    return [row[0] for row in group.codebases]


async def _started(write: Callable[[Rows], None], rows: int = 100) -> Committer:
    committer = Committer(write, Counters(), seconds=0.02, rows=rows)
    committer.start()
    return committer


async def _submitted(committer: Committer, rows: Rows, octets: int = 0) -> asyncio.Future[None]:
    """Hand rows over; the future is done when they are stored, and fails where they are not."""
    future = asyncio.get_running_loop().create_future()

    def settled(told: Sequence[tuple[object, Outcome]]) -> None:
        ((_, outcome),) = told
        if isinstance(outcome, StoreError):
            future.set_exception(outcome)
        else:
            future.set_result(None)

    await committer.room()
    committer.submit(rows, settled, octets=octets)
    return future


async def test_what_arrives_together_is_one_insert_and_done_only_after_it() -> None:
    groups: list[Rows] = []
    release = threading.Event()

    def write(rows: Rows) -> None:
        release.wait(20)
        groups.append(rows)

    committer = await _started(write)
    futures = [await _submitted(committer, _rows(name)) for name in "abc"]
    assert not any(future.done() for future in futures)
    assert groups == []
    release.set()
    for future in futures:
        await future
    assert [_names(group) for group in groups] == [["a", "b", "c"]]
    await committer.close()


async def test_one_bad_batch_spoils_no_other() -> None:
    stored: list[object] = []

    def write(rows: Rows) -> None:
        if "bad" in _names(rows):
            raise StoreError("refused")
        stored.extend(_names(rows))

    committer = await _started(write)
    good, bad, other = [await _submitted(committer, _rows(name)) for name in ("good", "bad", "other")]
    await good
    await other
    with pytest.raises(StoreError, match="refused"):
        await bad
    assert stored == ["good", "other"]
    await committer.close()


async def test_a_store_that_is_away_is_asked_for_one_batch_alone_and_not_for_each() -> None:
    """Each time may take as long as a server may be silent."""
    groups: list[list[object]] = []

    def write(rows: Rows) -> None:
        groups.append(_names(rows))
        raise StoreAwayError("no answer")

    committer = await _started(write)
    futures = [await _submitted(committer, _rows(name)) for name in "abc"]
    for future in futures:
        with pytest.raises(StoreAwayError, match="no answer"):
            await future
    assert groups == [["a", "b", "c"], ["a"]]
    await committer.close()


async def test_a_store_that_goes_away_while_batches_are_tried_alone_ends_that() -> None:
    groups: list[list[object]] = []

    def write(rows: Rows) -> None:
        groups.append(_names(rows))
        if len(rows.codebases) > 1:
            raise StoreError("refused")
        if _names(rows) == ["b"]:
            raise StoreAwayError("no answer")

    committer = await _started(write)
    stored, *kept = [await _submitted(committer, _rows(name)) for name in "abcd"]
    await stored
    for future in kept:
        with pytest.raises(StoreAwayError, match="no answer"):
            await future
    assert groups == [["a", "b", "c", "d"], ["a"], ["b"]]
    await committer.close()


async def test_closing_in_time_refuses_what_is_not_being_written_yet() -> None:
    groups: list[list[object]] = []
    writing, release = threading.Event(), threading.Event()

    def write(rows: Rows) -> None:
        groups.append(_names(rows))
        writing.set()
        release.wait(20)
        raise StoreError("refused")

    committer = await _started(write, rows=2)
    futures = [await _submitted(committer, _rows(name)) for name in "ab"]
    await asyncio.to_thread(writing.wait, 20)
    futures += [await _submitted(committer, _rows(name)) for name in "cdef"]
    closing = asyncio.create_task(committer.close(0.0))
    while not committer._late and not closing.done():  # noqa: ASYNC110 - a condition has no event
        await asyncio.sleep(0)
    assert not closing.done()
    release.set()
    await closing
    for future in futures:
        with pytest.raises(StoreError, match="stopping"):
            await future
    assert groups == [["a", "b"]]
    await committer.close()


@pytest.mark.parametrize(
    ("error", "final"),
    [(OverflowError("too large for 64 bits"), True), (StoreError("away"), False), (OSError(), False)],
)
async def test_a_batch_that_nothing_foresaw_is_refused_for_good(error: Exception, *, final: bool) -> None:
    """Sent again it would fail again, and with it each group that it came in; a store that is away comes back."""
    stored: list[object] = []
    outcomes: dict[str, Outcome] = {}

    def write(rows: Rows) -> None:
        if "bad" in _names(rows):
            raise error
        stored.extend(_names(rows))

    committer = await _started(write)
    for name in ("good", "bad", "other"):
        committer.submit(_rows(name), outcomes.update, name)
    await committer.close()
    assert stored == ["good", "other"]
    assert (outcomes["good"], outcomes["other"]) == (None, None)
    bad = outcomes["bad"]
    assert isinstance(bad, Refusal) == final
    assert isinstance(bad, StoreError) != final
    if isinstance(bad, Refusal):
        assert (bad.reason, bad.retryable) == (pb.REJECTION_REASON_INVALID, False)
        assert "too large for 64 bits" in bad.detail


async def test_closing_writes_what_waits_and_takes_nothing_more() -> None:
    stored: list[object] = []
    committer = await _started(lambda rows: stored.extend(_names(rows)))
    future = await _submitted(committer, _rows("last"))
    await committer.close()
    assert future.done()
    assert stored == ["last"]
    with pytest.raises(StoreError, match="stopping"):
        await _submitted(committer, _rows("late"))


async def test_a_store_that_stands_still_holds_back_who_comes_and_loses_nothing() -> None:
    stored: list[object] = []
    release = threading.Event()

    def write(rows: Rows) -> None:
        release.wait(20)
        stored.extend(_names(rows))

    counters = Counters()
    committer = Committer(write, counters, seconds=0.0, rows=10)
    committer.start()
    names = [f"batch {number}" for number in range(100)]
    tasks = [asyncio.create_task(_submitted(committer, _rows(name))) for name in names]
    # Until everybody is taken or held back.
    for _ in names:
        await asyncio.sleep(0)
    assert committer.waiting <= 20
    held = sum(not task.done() for task in tasks)
    assert held >= 60
    release.set()
    for task in tasks:
        await (await task)
    assert sorted(map(str, stored)) == sorted(names)
    buckets, seconds = counters.durations()[Latency.HELD_BACK]
    assert buckets[-1] >= held
    assert seconds > 0
    await committer.close()


async def test_where_agents_are_held_back_one_insert_takes_all_that_waits() -> None:
    """Else a group has no more rows than it should: who comes while it is written waits for it."""
    groups: list[int] = []
    writing, release = threading.Event(), threading.Event()

    def write(rows: Rows) -> None:
        groups.append(len(rows.codebases))
        writing.set()
        release.wait(20)

    committer = await _started(write, rows=10)
    futures = [await _submitted(committer, _rows("first"))]
    await asyncio.to_thread(writing.wait, 20)
    futures += [await _submitted(committer, _rows(str(number))) for number in range(20)]
    assert committer.full
    release.set()
    for future in futures:
        await future
    assert groups == [1, 20]
    release.clear()
    writing.clear()
    futures = [await _submitted(committer, _rows("first"))]
    await asyncio.to_thread(writing.wait, 20)
    futures += [await _submitted(committer, _rows(str(number))) for number in range(19)]
    release.set()
    for future in futures:
        await future
    assert groups[2:] == [1, 10, 9]
    await committer.close()


async def test_bytes_of_all_streams_hold_back_as_rows_do() -> None:
    """Messages of few rows and many bytes: at two full groups of bytes nothing more is taken, and none is lost."""
    groups: list[int] = []
    release = threading.Event()

    def write(rows: Rows) -> None:
        release.wait(20)
        groups.append(len(rows.codebases))

    committer = Committer(write, Counters(), seconds=0.0, rows=1_000_000, octets=1_000)
    committer.start()
    tasks = [asyncio.create_task(_submitted(committer, _rows(str(number)), 400)) for number in range(60)]
    for _ in tasks:
        await asyncio.sleep(0)
    # One message may cross the bound, for its size is known once it is there.
    assert 2_000 <= committer.bytes_waiting < 2_400
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(committer.room(), 0.01)
    release.set()
    for task in tasks:
        await (await task)
    await committer.room()
    assert sum(groups) == len(tasks)
    assert max(groups) <= 6
    assert committer.bytes_waiting == 0
    await committer.close()
