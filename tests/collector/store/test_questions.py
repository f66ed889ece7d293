"""What questions read: the same numbers as every reader, with everything that was received before they were asked."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pytest
from pivotscope.profile.language import Language
from pivotscope_collector.estimates.columns import SUMS
from pivotscope_collector.store import reader
from pivotscope_collector.store.catalogue import Names, functions_by_name
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.first_seen import FirstSeen
from pivotscope_collector.store.processes import PROCESSES, largest
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.recall import Recall
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.sources import Sources, left_of
from pivotscope_collector.store.stacks import StackBook
from pivotscope_collector.store.totals import stepped, whole
from pivotscope_collector.store.writer import Writer

pytestmark = pytest.mark.engine

Make = Callable[..., Rows]


class Moved(Protocol):
    """A clock that tests set."""

    now: float


def _over(clock: Moved) -> Selection:
    """The hour and a half around the clock's noon; over once the clock has moved on."""
    return Selection(int((clock.now - 3600) * 1e9), int((clock.now + 1800) * 1e9))


def _both(pools: Any, found: Any) -> tuple[Any, Any]:
    return pools, found


def _all(pools: Any, found: Any, processes: Any) -> tuple[Any, Any, Any]:
    return pools, found, processes


def _totals(recall: Recall, selection: Selection) -> Counter[int]:
    pools, functions = whole(recall, selection, _both)
    assert [row.samples for row in pools.sums] == [sum(row.samples for row in pools.sums)]
    ((parts,),) = (modes.values() for modes in functions.values())
    found: Counter[int] = Counter()
    for one in parts:
        found.update(dict(zip(one.ids.tolist(), one["total_samples"].tolist(), strict=True)))
    return found


def test_a_range_that_is_over_has_what_comes_late_for_it(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    recall, selection, minute = Recall(store, 1 << 20), _over(clock), int(clock.now) // 60 * 60
    writer.write(window_rows({(1, 2): 3, (1,): 1}))
    assert _totals(recall, selection) == {1: 4, 2: 3}
    clock.now += 7200
    roll_up.run()
    for _ in range(2):
        assert _totals(recall, selection) == {1: 4, 2: 3}
    writer.write(window_rows({(1, 3): 5}, minute=minute))
    assert _totals(recall, selection) == {1: 9, 2: 3, 3: 5}
    # Rolled up meanwhile, which this client was not told.
    clock.now += 60
    roll_up.run()
    for _ in range(2):
        assert _totals(recall, selection) == {1: 9, 2: 3, 3: 5}


@pytest.mark.parametrize("closed", [False, True])
def test_steps_agree_with_what_every_reader_gets(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved, *, closed: bool
) -> None:
    selection, minute = _over(clock), int(clock.now) // 60 * 60
    for later in (0, 60, 300):
        writer.write(window_rows({(1, 2): 3, (1,): 1}, minute=minute + later, cpu_user_ns=70, run_delay_ns=3))
        writer.write(window_rows({(1, 2): 2}, minute=minute + later, mode="active", version=f"v{later}"))
    if closed:
        clock.now += 7200
        roll_up.run()
    pools, functions = stepped(Recall(store, 1 << 20), selection, 2, _both, 60)
    found = reader.functions(store, selection, step_seconds=60, function_ids=[2])
    assert [start for start, rows in functions.items() for _ in rows] == found["bucket"]
    # Pools come in the order of their numbers.
    rows = [row for rows in functions.values() for row in sorted(rows, key=lambda row: (row.pool.version, row.mode))]
    assert [row.pool.version for row in rows] == found["version"]
    for name in SUMS:
        column = name.removesuffix("_samples") if name.endswith("_samples") else name
        assert [getattr(row, name) for row in rows] == pytest.approx(found[column])
    known = reader.pools(store, selection, step_seconds=60)
    sums = [row for rows in pools.values() for row in rows]
    for name in (
        "samples",
        "x",
        "xx",
        "complete_cpu_ns",
        "attributed_ns",
        "unattributed_ns",
        "complete_delay_ns",
        "looked_ns",
    ):
        assert [getattr(row, name) for row in sums] == pytest.approx(known[name])


@pytest.mark.parametrize("closed", [False, True])
def test_processes_at_once_are_those_of_all_versions_together(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved, *, closed: bool
) -> None:
    minute = int(clock.now) // 60 * 60
    for later, version, mode, pid in (
        (0, "1", "gil", 7),
        (0, "1", "active", 7),
        (0, "2", "none", 8),
        (60, "2", "gil", 8),
        (60, "3", "active", 9),
        (120, "4", "gil", 10),
    ):
        writer.write(window_rows({(1,): 1}, minute=minute + later, version=version, mode=mode, pid=pid))
    selection = _over(clock)
    if closed:
        clock.now += 7200
        roll_up.run()
    _, _, processes = whole(Recall(store, 1 << 20), selection, _all, PROCESSES)
    assert largest(processes).most == {("shop", Language.PYTHON): 2}


def test_hours_in_a_row_are_read_as_one_stretch() -> None:
    sources = Sources(days=(0,), hours=(86_400, 90_000, 100_800))
    sql = reader.render("function_sums", Selection(0, 172_800 * 10**9), sources)
    assert "functions_day FINAL PREWHERE (bucket >= 0 AND bucket < 86400)" in sql
    assert "(bucket >= 86400 AND bucket < 93600 OR bucket >= 100800 AND bucket < 104400)" in sql
    assert "functions_minute" not in sql


def test_days_and_hours_leave_stretches_of_minutes() -> None:
    day = 86_400
    assert left_of(0, 3 * day, [day], [0, 3600]) == ((7200, day), (2 * day, 3 * day))
    assert left_of(0, day, [0], []) == ()
    assert left_of(60, 120, [], []) == ((60, 120),)


def test_a_function_is_first_seen_at_the_finest_level_that_has_it(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    minute, first_seen = int(clock.now) // 60 * 60, FirstSeen(store)
    writer.write(window_rows({(1, 2): 3}))
    assert first_seen.of(9) == 0
    assert first_seen.of(2) == int(clock.now)
    clock.now += 86_400
    writer.write(window_rows({(1, 3): 3}, minute=int(clock.now) // 60 * 60))
    clock.now += 7200
    roll_up.run()
    clock.now += 120
    roll_up.run()
    store.renewed("progress")
    assert store.run("SELECT count() AS n FROM functions_day WHERE function_id = 2")["n"] == [1]
    assert first_seen.of(1) == first_seen.of(2) == minute
    assert first_seen.of(3) == minute + 86_400
    store.command("TRUNCATE TABLE functions_minute")
    assert FirstSeen(store).of(2) == minute // 3600 * 3600
    assert FirstSeen(store).of(3) == (minute + 86_400) // 3600 * 3600
    # What was known stays so until anything before it is rolled up.
    assert first_seen.of(2) == minute


def test_a_function_is_first_seen_earlier_once_its_late_minute_is_rolled_up(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    minute, first_seen = int(clock.now) // 60 * 60, FirstSeen(store)
    writer.write(window_rows({(1, 2): 3}))
    for _ in range(2):
        clock.now += 120
        roll_up.run()
    store.renewed("progress")
    assert first_seen.of(2) == first_seen.of(2) == minute
    writer.write(window_rows({(1, 2): 3}, minute=minute - 3600))
    assert first_seen.of(2) == minute
    # The minute comes with one run, its hour with the next.
    for _ in range(2):
        clock.now += 120
        roll_up.run()
        assert first_seen.of(2) == FirstSeen(store).of(2)
    assert first_seen.of(2) == minute - 3600


def test_stacks_are_read_once_and_forgotten_when_there_are_too_many(
    store: Client, writer: Writer, window_rows: Make, clock: Moved
) -> None:
    selection = _over(clock)
    writer.write(window_rows({(1, 2): 3, (1,): 1, (1, 3, 2): 5}))
    ids = np.sort(np.array(store.run("SELECT stack_id FROM stacks")["stack_id"], np.uint64))
    wanted = np.sort(np.append(ids, np.uint64(7)))
    books = StackBook(store), StackBook(store, capacity=2)
    for book in books:
        known, stacks = book.of((wanted, selection, ["python/gil"]), (wanted[:1], selection, ["python/gil"]))
        assert known.tolist() == ids.tolist()
        ends = stacks.starts + stacks.lengths
        parts = [stacks.functions[start:end].tolist() for start, end in zip(stacks.starts, ends, strict=True)]
        assert sorted(parts) == [[1], [1, 2], [1, 3, 2]]
    store.command("TRUNCATE TABLE stacks")
    kept, forgotten = (book.of((ids, selection, ["python/gil"]))[0] for book in books)
    assert kept.tolist() == ids.tolist()
    assert not len(forgotten)


def test_a_function_is_found_by_its_name_or_by_the_end_of_it(store: Client) -> None:
    names = ["load", "Shop.load", "Shop#load", "reload", "load.all", "Shop.load"]
    owners = ["library", "application", "application", "application", "application", "application"]
    store.insert(
        "functions",
        {
            "function_id": list(range(1, 7)),
            "codebase": ["shop"] * 6,
            "language": ["python"] * 6,
            "path": ["a.py", "b.py", "a.py", "a.py", "a.py", "a.py"],
            "qualified_name": names,
            "owner": owners,
            "seen_at": [1_800_000_000] * 6,
        },
    )
    book = Names(store)
    for name, expected in (("load", [3, 6, 2, 1]), ("Shop.load", [6, 2]), ("p.load", []), ("reload", [4])):
        for found in (functions_by_name(store, name), book.called(name)):
            assert list(found) == expected
            assert [function.qualified_name for function in found.values()] == [names[key - 1] for key in expected]
