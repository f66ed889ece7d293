"""Raw days go when they are over, and not before they are rolled up."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import pytest
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.expiry import expire, takes_back_to
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.writer import Writer

pytestmark = pytest.mark.engine

DAY = 86_400
RAW_DAYS = 2


class Moved(Protocol):
    """A clock that tests set."""

    now: float

    def unix_ns(self) -> int: ...


def _windows(store: Client) -> int:
    return int(store.run("SELECT count() AS n FROM windows FINAL")["n"][0])


def test_a_day_stays_until_it_is_rolled_up(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Callable[..., Rows], clock: Moved
) -> None:
    day = int(clock.now) // DAY * DAY
    writer.write(window_rows({(1,): 3}))
    writer.write(window_rows({(1,): 4}, minute=day + DAY))
    clock.now += 3 * DAY
    assert expire(store, clock.unix_ns(), RAW_DAYS) == 0
    assert _windows(store) == 2
    assert roll_up.run() == 2
    assert expire(store, clock.unix_ns(), RAW_DAYS) == 1
    assert _windows(store) == 1
    assert sum(store.run("SELECT total FROM functions_minute FINAL")["total"]) == 7
    assert expire(store, clock.unix_ns(), RAW_DAYS) == 0


def test_what_comes_late_keeps_its_day(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Callable[..., Rows], clock: Moved
) -> None:
    minute = int(clock.now) // 60 * 60
    writer.write(window_rows({(1,): 3}))
    clock.now += 3 * DAY
    assert roll_up.run() == 1
    writer.write(window_rows({(1,): 4}, minute=minute))
    assert expire(store, clock.unix_ns(), RAW_DAYS) == 0
    clock.now += 60
    assert roll_up.run() == 1
    assert sum(store.run("SELECT total FROM functions_minute FINAL")["total"]) == 7
    assert expire(store, clock.unix_ns(), RAW_DAYS) == 1
    assert _windows(store) == 0


def test_minutes_that_lost_their_raw_rows_take_no_more(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Callable[..., Rows], clock: Moved
) -> None:
    """However long raw rows are to be kept from now on, and whatever of younger and older days is there."""
    days = [int(clock.now) // DAY * DAY - back * DAY for back in (9, 6, 3)]
    assert takes_back_to(store, clock.unix_ns(), 14) == 13 * DAY
    for day in days:
        writer.write(window_rows({(1,): 3}, minute=day + 60))
    clock.now += 60
    assert roll_up.run() == 3
    assert takes_back_to(store, clock.unix_ns(), 14) == 13 * DAY
    store.command(f"ALTER TABLE windows DROP PARTITION ID '{datetime.fromtimestamp(days[0], UTC):%Y%m%d}'")
    assert takes_back_to(store, clock.unix_ns(), 14) == int(clock.now) - (days[0] + 120)
    assert takes_back_to(store, clock.unix_ns(), 5) == 4 * DAY
    store.command("TRUNCATE TABLE windows")
    assert takes_back_to(store, (days[2] + 3600) * 10**9, 14) == DAY
