"""What the roll-ups mean, and that a number does not depend on where it is read from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import pytest
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.store import reader, sources
from pivotscope_collector.store.client import Client, Columns
from pivotscope_collector.store.native import Column
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.writer import Writer

pytestmark = pytest.mark.engine

Make = Callable[..., Rows]
PERIOD = 50_000_000


class Moved(Protocol):
    """A clock that tests set."""

    now: float

    def unix_ns(self) -> int: ...

    def monotonic(self) -> float: ...


def _around(clock: Moved, before: float = 3600.0, after: float = 600.0) -> Selection:
    return Selection(int((clock.now - before) * 1e9), int((clock.now + after) * 1e9))


def _by_function(store: Client, selection: Selection) -> dict[int, dict[str, Any]]:
    columns = reader.functions(store, selection)
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return {row["function_id"]: row for row in rows}


def _pools(store: Client, selection: Selection, step: int = 0) -> list[dict[str, Any]]:
    columns = reader.pools(store, selection, step_seconds=step)
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _agree(found: Mapping[str, Sequence[Any]], expected: Mapping[str, Sequence[Any]]) -> None:
    """Counts to the unit; moments as precisely as roll-ups keep them."""
    assert list(found) == list(expected)
    for name, values in found.items():
        if name.endswith(("_y", "_yy", "_xy")):
            assert values == pytest.approx(expected[name], rel=1e-5)
        else:
            assert values == expected[name]


def _roll(roll_up: RollUp, clock: Moved, seconds: float = 120.0) -> int:
    clock.now += seconds
    return roll_up.run()


def test_recursion_counts_once(store: Client, writer: Writer, window_rows: Make, clock: Moved) -> None:
    writer.write(window_rows({(1, 2, 1): (6, 2), (1, 3): 4}))
    found = _by_function(store, _around(clock))
    assert {key: (row["self"], row["total"]) for key, row in found.items()} == {1: (6, 10), 2: (0, 6), 3: (4, 4)}
    assert {key: (row["self_native"], row["total_native"]) for key, row in found.items()} == {
        1: (2, 2),
        2: (0, 2),
        3: (0, 0),
    }


def test_moments_are_sums_over_windows(store: Client, writer: Writer, window_rows: Make, clock: Moved) -> None:
    writer.write(window_rows({(1, 2): 3, (1,): 1}))
    writer.write(window_rows({(1, 2): 5}))
    two = _by_function(store, _around(clock))[2]
    assert two["self_y"] == 8 * PERIOD
    assert two["self_yy"] == pytest.approx((9 + 25) * PERIOD**2)
    assert two["self_xy"] == pytest.approx((3 * 4 + 5 * 5) * PERIOD**2)
    assert two["windows"] == 2
    (pool,) = _pools(store, _around(clock))
    assert pool["x"] == 9 * PERIOD
    assert pool["xx"] == pytest.approx((16 + 25) * PERIOD**2)
    assert (pool["windows"], pool["complete"], pool["samples"]) == (2, 2, 9)


def test_skipped_cpu_is_attributed_beside_a_complete_window_of_its_pool(
    store: Client, writer: Writer, window_rows: Make, clock: Moved
) -> None:
    minute = int(clock.now)
    writer.write(window_rows({(1,): 1}, cpu_user_ns=100, gap_cpu_ns=1))
    skipped = {"outcome": "skipped", "mode": "none"}
    writer.write(window_rows(**skipped, cpu_user_ns=50))
    writer.write(window_rows(outcome="sampler_killed", mode="none", cpu_system_ns=9))
    writer.write(window_rows(**skipped, cpu_user_ns=30, minute=minute + 60))
    writer.write(window_rows(**skipped, cpu_user_ns=20, variant="other"))
    pools = _pools(store, _around(clock), step=60)
    assert sum(pool["attributed_ns"] for pool in pools) == 150
    assert sum(pool["unattributed_ns"] for pool in pools) == 1 + 9 + 30 + 20
    total = sum(
        pool[name] for pool in pools for name in ("complete_cpu_ns", "skipped_cpu_ns", "failed_cpu_ns", "gap_cpu_ns")
    )
    assert total == 100 + 1 + 50 + 9 + 30 + 20


def test_reading_raw_and_reading_rolled_up_agree(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    writer.write(window_rows({(1, 2): 3, (1,): 1}, cpu_user_ns=100, run_delay_ns=60, ticks=200))
    writer.write(window_rows({(1, 3): 3}, mode="active", cpu_user_ns=70, run_delay_ns=50, ticks=0, rate_hz=20))
    writer.write(window_rows(mode="active", outcome="sampler_killed", run_delay_ns=7, ticks=200))
    selection = _around(clock)
    functions, pools = reader.functions(store, selection), reader.pools(store, selection)
    assert dict(zip(pools["mode"], pools["complete_delay_ns"], strict=True)) == {"active": 50, "gil": 60}
    # Looks over ten seconds, told or by the rate; those of the killed window count for none.
    assert dict(zip(pools["mode"], pools["looked_ns"], strict=True)) == {"active": 10**10, "gil": 10**10}
    assert reader.locate(store, selection).dirty
    assert _roll(roll_up, clock) == 1
    assert not reader.locate(store, selection).dirty
    _agree(reader.functions(store, selection), functions)
    assert reader.pools(store, selection) == pools
    assert store.run("SELECT count() AS n FROM functions_minute FINAL")["n"] == [4]


def test_running_twice_or_in_two_collectors_changes_nothing(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    writer.write(window_rows({(1, 2): 3}))
    selection = _around(clock)
    before = reader.functions(store, selection)
    twin = RollUp(store, clock, Reception(store, clock), Counters(), margin_seconds=30.0, raw_days=14)
    assert _roll(roll_up, clock) == 1
    assert twin.run() == 0
    store.command("TRUNCATE TABLE rolled")
    store.command("TRUNCATE TABLE progress")
    third = RollUp(store, clock, Reception(store, clock), Counters(), margin_seconds=30.0, raw_days=14)
    assert third.run() == 1
    _agree(reader.functions(store, selection), before)


def test_an_open_minute_and_a_fresh_insert_are_left_alone(
    writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    writer.write(window_rows({(1,): 3}))
    assert roll_up.run() == 0
    assert _roll(roll_up, clock, 59.0 - clock.now % 60) == 0
    clock.now += 120
    writer.write(window_rows({(1,): 4}, minute=int(clock.now) // 60 * 60 - 180))
    assert roll_up.run() == 1
    assert _roll(roll_up, clock, 31.0) == 1


def test_there_is_a_look_when_something_may_be_due_and_once_a_minute(
    writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    query = Client.query

    def counted(self: Client, name: str, parameters: Mapping[str, object] | None = None) -> Columns:
        asked.append(name)
        return query(self, name, parameters)

    def looks(seconds: float) -> tuple[int, int]:
        """For minutes and for higher levels, by a run so much later."""
        asked.clear()
        clock.now += seconds
        roll_up.run()
        return asked.count("rollup_minutes"), asked.count("rollup_buckets")

    monkeypatch.setattr(Client, "query", counted)
    minute = int(clock.now) // 60 * 60
    clock.now = minute + 1.0
    assert looks(0) == (1, 1)
    writer.write(window_rows({(1,): 3}, minute=minute - 60))
    assert looks(10) == (0, 0)
    # A margin after that first look; the window, received then, is due by now.
    assert looks(20) == (1, 1)
    assert looks(10) == (0, 0)
    assert looks(18) == (0, 0)
    # In the next minute.
    assert looks(1) == (1, 1)
    # What was rolled up can be read by now; then nothing is owed any more.
    assert looks(1) == (1, 1)
    assert looks(10) == (0, 0)


def test_what_is_covered_is_what_one_roll_up_covered(store: Client, clock: Moved) -> None:
    """Not what the one that reached further left open, and another one had closed before."""
    now = int(clock.now)
    for received, closed in ((now, now + 3600), (now + 60, now)):
        moment = received * 10**6
        covered = {"received_until": [moment], "open_from": [closed], "revision": [moment]}
        store.insert("progress", {"level": ["minute"], **covered})
    assert sources.progress_of(store.query("progress")) == {"minute": sources.Progress((now + 60) * 10**6, now)}


def test_late_data_opens_its_minute_again(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    minute = int(clock.now) // 60 * 60
    selection = _around(clock)
    writer.write(window_rows({(1,): 3}))
    assert _roll(roll_up, clock) == 1
    writer.write(window_rows({(1,): 4}, minute=minute))
    assert reader.locate(store, selection).dirty == (minute,)
    assert _by_function(store, selection)[1]["total"] == 7
    assert _roll(roll_up, clock, 31.0) == 1
    assert reader.locate(store, selection).dirty == ()
    assert _by_function(store, selection)[1]["total"] == 7


def test_a_window_sent_again_counts_once(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    rows = window_rows({(1,): 3}, cpu_user_ns=10)
    selection = _around(clock)
    for _ in range(3):
        writer.write(rows)
        assert _by_function(store, selection)[1]["total"] == 3
        _roll(roll_up, clock)
        (pool,) = _pools(store, selection)
        assert (pool["windows"], pool["complete_cpu_ns"]) == (1, 10)
        assert _by_function(store, selection)[1]["total"] == 3


def test_hours_and_days_stand_for_their_minutes(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    noon = int(clock.now)
    for hour in range(-30, 0):
        for minute in (0, 59):
            at = noon + hour * 3600 + minute * 60
            writer.write(window_rows({(1,): 3}, minute=at, cpu_user_ns=10))
    selection = Selection((noon - 47 * 3600) * 10**9, noon * 10**9)
    before = reader.functions(store, selection)
    for _ in range(3):
        _roll(roll_up, clock)
    sources = reader.locate(store, selection)
    assert (len(sources.days), sources.dirty) == (1, ())
    assert len(sources.hours) == 47 - 24
    _agree(reader.functions(store, selection), before)
    (pool,) = _pools(store, selection)
    assert (pool["windows"], pool["complete_cpu_ns"], pool["processes"]) == (60, 600, 1)

    writer.write(window_rows({(1,): 4}, minute=noon - 7200))
    assert noon - 7200 not in reader.locate(store, selection).hours
    assert _by_function(store, selection)[1]["total"] == 184
    clock.now += 31
    assert roll_up.run() == 1
    assert noon - 7200 not in reader.locate(store, selection).hours
    assert _by_function(store, selection)[1]["total"] == 184
    _roll(roll_up, clock)
    assert noon - 7200 in reader.locate(store, selection).hours
    assert _by_function(store, selection)[1]["total"] == 184


def test_a_selection_keeps_to_its_pool(store: Client, writer: Writer, window_rows: Make, clock: Moved) -> None:
    writer.write(window_rows({(1,): 3}))
    writer.write(window_rows({(1,): 4}, service="other", variant="b"))
    selection = _around(clock)
    assert _by_function(store, replace(selection, service="other"))[1]["total"] == 4
    assert _by_function(store, replace(selection, variant="b"))[1]["total"] == 4
    assert _by_function(store, replace(selection, service="nobody")) == {}
    assert reader.functions(store, selection, function_ids=[9])["total"] == []


def test_a_slow_insert_is_written_again(store: Client, clock: Moved, window_rows: Make) -> None:
    counters = Counters()
    delays = iter([40.0, 0.0])

    class Slow(Client):
        def insert(self, table: str, columns: Mapping[str, Column], token: str = "") -> None:
            store.insert(table, columns, token)
            if table == "windows":
                clock.now += next(delays)

    rows = window_rows({(1,): 3})
    Writer(Slow(database="unused"), Reception(store, clock), counters, 30.0).write(rows)
    assert counters.get(Count.COMMITS_REPEATED) == 1
    received = store.run("SELECT toUnixTimestamp64Micro(received_at) AS at FROM windows FINAL")["at"]
    assert received == [int(clock.now * 1e6)]
