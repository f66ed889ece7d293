"""The boundary's cost against the work: the measured cases of Python, and the verdict's thresholds."""

import pytest
from pivotscope_collector.scoring.boundary import (
    BRIDGES,
    CTYPES,
    FIDDLE,
    GO_CTYPES,
    PYO3,
    RUBY_C,
    Costs,
    Item,
    judge,
)
from pivotscope_collector.scoring.candidate import Crossing, Quantiles

ITEMS = 1000
PYTHON_LOOP_NS = 60_000
"""A thousand dicts summed in Python: 50 to 75 µs."""


def crossing(bridge: Costs, item: Item) -> Quantiles:
    """What one call with all the items spends at the boundary."""
    call, each = bridge.call_ns, bridge.item_ns[item]
    return Quantiles(call.p10 + ITEMS * each.p10, call.p50 + ITEMS * each.p50, call.p90 + ITEMS * each.p90)


def test_dicts_over_json_to_go_are_red() -> None:
    """Measured as 64 to 95 times slower than the loop that it was to replace."""
    cost = crossing(GO_CTYPES, Item.JSON_ROW)
    assert judge(PYTHON_LOOP_NS, cost.p50) is Crossing.RED
    assert judge(PYTHON_LOOP_NS, cost.p10) is Crossing.RED
    assert cost.p10 > 15 * PYTHON_LOOP_NS


def test_dicts_walked_in_place_are_amber_and_a_vector_of_numbers_costs_less() -> None:
    walked, vector = crossing(PYO3, Item.RECORD), crossing(PYO3, Item.NUMBER)
    assert judge(PYTHON_LOOP_NS, walked.p50) is Crossing.AMBER
    assert vector.p50 < walked.p50
    assert judge(PYTHON_LOOP_NS, PYO3.call_ns.p50) is Crossing.GREEN


def test_records_cannot_cross_ctypes_as_they_are() -> None:
    assert Item.RECORD not in CTYPES.item_ns


@pytest.mark.parametrize(
    ("own", "expected"),
    [(1000.0, Crossing.GREEN), (999.0, Crossing.AMBER), (200.0, Crossing.AMBER), (199.0, Crossing.RED)],
)
def test_thresholds_are_ten_and_two(own: float, expected: Crossing) -> None:
    assert judge(own, 100.0) is expected


def test_unknown_work_is_unknown() -> None:
    assert judge(None, 50.0) is Crossing.UNKNOWN


def test_every_bridge_orders_its_bounds() -> None:
    for bridge in (cost for bridges in BRIDGES.values() for cost in bridges):
        for cost in (bridge.call_ns, *bridge.item_ns.values()):
            assert 0.0 < cost.p10 <= cost.p50 <= cost.p90


def test_fiddle_costs_many_times_a_c_extension() -> None:
    assert FIDDLE.call_ns.p10 > 20 * RUBY_C.call_ns.p90
