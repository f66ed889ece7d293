"""Names that the store knows, whatever of the rows that brought them is still kept."""

import time
from collections.abc import Callable
from typing import Protocol

import pytest
from pivotscope_collector.store import bounds
from pivotscope_collector.store.bounds import Bounds
from pivotscope_collector.store.catalogue import functions_by_id, knows_service, owned, services
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.writer import Writer

pytestmark = pytest.mark.engine

DAY = 86_400
Make = Callable[..., Rows]


class Moved(Protocol):
    """A clock that tests set."""

    now: float


def test_a_service_is_known_for_as_long_as_days_of_it_are(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    writer.write(window_rows({(1, 2): 3}))
    assert knows_service(store, "shop")
    assert services(store, 9) == ["shop"]
    clock.now += DAY
    for _ in range(2):
        clock.now += 120
        roll_up.run()
    writer.write(window_rows({(1, 2): 3}, service="cart"))
    for table in ("pools_minute", "pools_hour"):
        store.command(f"TRUNCATE TABLE {table}")
    assert (knows_service(store, "shop"), knows_service(store, "cart")) == (True, True)
    assert services(store, 9) == ["cart", "shop"]
    assert services(store, 1) == ["cart"]
    store.command("TRUNCATE TABLE windows")
    assert (knows_service(store, "shop"), knows_service(store, "cart")) == (True, False)
    assert services(store, 9) == ["shop"]


def test_whether_a_service_is_known_costs_no_look_at_its_windows(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    for _ in range(20):
        writer.write(window_rows({(1, 2): 3}))
    clock.now += 120
    roll_up.run()
    with bounds.within(Bounds(time.monotonic() + 60, 10, 1 << 30)):
        assert knows_service(store, "shop")
        assert not knows_service(store, "cart")


def test_any_number_of_functions_is_looked_up(store: Client) -> None:
    ids = [2**64 - 1 - number for number in range(12_000)]
    many = len(ids)
    store.insert(
        "functions",
        {
            "function_id": ids,
            "language": ["python"] * many,
            "owner": ["application" if key % 2 else "library" for key in ids],
            "seen_at": [int(time.time())] * many,
        },
    )
    assert sorted(functions_by_id(store, ids)) == sorted(ids)
    assert sorted(owned(store, ids).tolist()) == sorted(key for key in ids if key % 2)
    assert functions_by_id(store, []) == {}
    assert owned(store, []).tolist() == []
