"""Names that a collector takes up when it starts, against the real engine."""

import pytest
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.taken import Taken, taken
from pivotscope_collector.store.writer import Writer

from tests.collector.store.conftest import MARGIN, MakeRows, SetClock

pytestmark = pytest.mark.engine

HOUR, DAY = 3600, 86_400


def test_names_are_those_of_roll_ups_and_of_what_came_beyond_them(
    store: Client, clock: SetClock, writer: Writer, roll_up: RollUp, window_rows: MakeRows
) -> None:
    clock.now -= 2 * DAY
    today = int(clock.now) // DAY
    for days_ago, version in ((2, "older"), (1, "before"), (0, "rolled")):
        writer.write(window_rows(version=version, minute=int(clock.now) // 60 * 60 - days_ago * DAY))
    clock.now += 2 * MARGIN + 60
    assert roll_up.run() == 3
    writer.write(window_rows(version="raw", environment="prod"))
    writer.write(window_rows(service="till", variant="canary", minute=int(clock.now) // 60 * 60 - 2 * DAY))
    found = taken(store, today)
    named = [(one.day - today, one.service, sorted(one.versions)) for one in found]
    assert named == [(-1, "shop", ["before"]), (0, "shop", ["raw", "rolled"]), (0, "till", [""])]
    assert sorted(found[1].environments) == ["", "prod"]
    assert found[2] == Taken(today, "till", environments=[""], versions=[""], variants=["canary"])


def test_an_empty_store_has_no_names(store: Client) -> None:
    assert taken(store, 20_000) == []
