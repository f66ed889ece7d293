"""What `collector check` says about names and clocks."""

import time

import pytest
from pivotscope_collector.api.check import check
from pivotscope_collector.ingest.cardinality import Reached
from pivotscope_collector.store import corrections
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.corrections import Correction

pytestmark = pytest.mark.engine


def test_bounds_and_clocks_are_named(module_store: Client) -> None:
    now_ns = time.time_ns()
    assert not [problem for problem in check(module_store).problems if "clock" in problem or "today" in problem]
    corrections.place(module_store, [Correction(1, "host-1", 2, 3, now_ns), Correction(2, "host-2", 1, 0, now_ns)])
    said = check(module_store, [Reached("versions", "shop", 1_000, 5), Reached("series", "shop", 50_000, 1)]).problems
    names = [problem.partition(": is an id")[0] for problem in said if "today" in problem]
    assert names == [
        "shop: more than 1,000 versions today, 5 definitions beyond; the rest counts as (other)",
        "shop: more than 50,000 series today, 1 definitions beyond; the rest is refused",
    ]
    clocks = [problem.partition(" in two days, booked when they came")[0] for problem in said if "clock" in problem]
    assert clocks == [
        "agent host-1 sent 3 windows from the future and 2 windows too old",
        "agent host-2 sent 1 windows too old",
    ]
