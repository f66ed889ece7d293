"""Ranges: what they are widened to by their length and by what is kept, and that nothing of them is left out."""

from collections.abc import Callable
from typing import Any, Protocol

import pytest
from pivotscope_collector.settings import Retention
from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.expiry import kept
from pivotscope_collector.store.recall import Recall
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.selection import DAY, HOUR, MINUTE, Kept, Selection
from pivotscope_collector.store.totals import stepped, whole
from pivotscope_collector.store.writer import Writer

NOON = 20_000 * DAY + 12 * HOUR
Make = Callable[..., Rows]


class Moved(Protocol):
    """A clock that tests set."""

    now: float


def _range(since: int, until: int, known: Kept) -> Selection:
    return Selection(since * 10**9, until * 10**9, kept=known)


@pytest.mark.parametrize(
    ("known", "since", "until", "resolution"),
    [
        (Kept(), NOON + 30 * MINUTE, NOON + 90 * MINUTE, MINUTE),
        (Kept(NOON), NOON + 30 * MINUTE, NOON + 90 * MINUTE, MINUTE),
        (Kept(NOON + HOUR), NOON, NOON + 90 * MINUTE, HOUR),
        (Kept(NOON + 2 * HOUR), NOON, NOON + 2 * HOUR, HOUR),
        (Kept(NOON + DAY, NOON + 12 * HOUR), NOON - 12 * HOUR, NOON + 12 * HOUR, DAY),
    ],
)
def test_either_end_is_widened_to_what_is_kept_of_it(known: Kept, since: int, until: int, resolution: int) -> None:
    selection = _range(NOON + 30 * MINUTE, NOON + 90 * MINUTE, known)
    assert (selection.since, selection.until, selection.resolution) == (since, until, resolution)
    assert selection.told_until_ns == until * 10**9


def test_what_is_kept_follows_from_its_age() -> None:
    now = NOON + 59
    found = kept(Retention(raw_days=2, minute_days=10, hour_days=20), now * 10**9)
    assert found == Kept(NOON - 10 * DAY + HOUR, NOON - 20 * DAY + 12 * HOUR)
    assert [found.at(now - days * DAY) for days in (0, 9, 10, 19, 20)] == [MINUTE, MINUTE, HOUR, HOUR, DAY]


def _samples(store: Client, selection: Selection) -> set[int]:
    """Of each way to read it."""

    def both(pools: Any, _: Any) -> Any:
        return pools

    one = whole(Recall(store, 1 << 20), selection, both)
    many = stepped(Recall(store, 1 << 20), selection, 2, both, selection.resolution)
    return {
        sum(reader.pools(store, selection)["samples"]),
        sum(reader.functions(store, selection, function_ids=[2])["total"]),
        sum(row.samples for row in one.sums),
        sum(row.samples for rows in many.values() for row in rows),
    }


@pytest.mark.engine
def test_nothing_is_left_out_of_a_range_whose_minutes_or_hours_have_expired(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    noon = int(clock.now)
    for half_hour in range(12):
        writer.write(window_rows({(1, 2): 1}, minute=noon + half_hour * 30 * MINUTE + 10 * MINUTE))
    clock.now += DAY
    for _ in range(3):
        clock.now += 120
        roll_up.run()
    assert _samples(store, _range(noon + HOUR, noon + 4 * HOUR, Kept())) == {6}
    for table in ("windows", "rolled", "pools_minute", "functions_minute"):
        store.command(f"TRUNCATE TABLE {table}")
    known = Kept(noon + 5 * HOUR)
    assert _samples(store, _range(noon + HOUR, noon + 4 * HOUR, known)) == {6}
    assert _samples(store, _range(noon + 90 * MINUTE, noon + 150 * MINUTE, known)) == {4}
    assert _samples(store, _range(noon - 23 * HOUR - 30 * MINUTE, noon + 30 * MINUTE, known)) == {2}
    for table in ("pools_hour", "functions_hour"):
        store.command(f"TRUNCATE TABLE {table}")
    known = Kept(noon + DAY, noon + 12 * HOUR)
    assert _samples(store, _range(noon + HOUR, noon + 4 * HOUR, known)) == {12}
