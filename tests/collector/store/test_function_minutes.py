"""Roll-ups over HTTP, with as many stacks as a minute brings."""

from collections.abc import Callable
from typing import Any

import pytest
from pivotscope_collector.counters import Counters
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.schema import migrate
from pivotscope_collector.store.writer import Writer

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("many", [3, 6_000])
def test_minutes_are_rolled_up_wherever_the_store_is(
    any_client: Client, clock: Any, window_rows: Callable[..., Rows], many: int
) -> None:
    migrate(any_client)
    writer = Writer(any_client, Reception(any_client, clock), Counters(), 30.0)
    writer.write(window_rows({(1, 2 + number): 1 for number in range(many)}))
    clock.now += 120
    roll_up = RollUp(any_client, clock, Reception(any_client, clock), Counters(), margin_seconds=30.0, raw_days=14)
    assert roll_up.run() == 1
    found = any_client.run("SELECT sum(total) AS total, count() AS n FROM functions_minute FINAL")
    assert (found["total"], found["n"]) == ([2 * many], [many + 1])
