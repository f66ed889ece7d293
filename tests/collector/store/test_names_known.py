"""Which names windows of a service ever had, wherever they stand by now."""

from collections.abc import Callable
from itertools import islice
from typing import Protocol

import pytest
from pivotscope_collector.store import catalogue
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.writer import Writer

pytestmark = pytest.mark.engine

Make = Callable[..., Rows]


class Moved(Protocol):
    """A clock that tests set."""

    now: float


def known(store: Client, service: str = "shop") -> set[str]:
    return set(catalogue.values(store, service, "version"))


def test_names_are_known_before_they_are_rolled_up_and_after_raw_rows_have_gone(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    minute = int(clock.now) // 60 * 60
    writer.write(window_rows({(1,): 1}, version="1"))
    writer.write(window_rows({(1,): 1}, version="9", service="other"))
    assert known(store) == {"1"}
    assert known(store, "") == {"1", "9"}
    clock.now += 7200
    roll_up.run()
    # Late, in a minute that was rolled up.
    writer.write(window_rows({(1,): 1}, version="", minute=minute))
    assert known(store) == {"", "1"}
    store.command("TRUNCATE TABLE windows")
    assert known(store) == {"1"}
    clock.now += 86_400
    roll_up.run()
    clock.now += 120
    roll_up.run()
    store.command("TRUNCATE TABLE pools_minute")
    assert known(store) == {"1"}
    # The smallest table is asked first.
    store.command("DROP TABLE pools_minute")
    assert list(islice(catalogue.values(store, "shop", "version"), 1)) == ["1"]
