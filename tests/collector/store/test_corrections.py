"""Where windows with unbelievable times are booked."""

import time

import pytest
from pivotscope_collector.store import corrections
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.corrections import Correction

pytestmark = pytest.mark.engine

NOW_NS = int(time.time()) * 10**9
HOUR_NS = 3_600 * 10**9


def test_a_batch_that_comes_again_is_booked_where_it_was(store: Client) -> None:
    first = [Correction(2**64 - 1, "a", 1, 0, NOW_NS), Correction(7, "b", 0, 2, NOW_NS)]
    assert corrections.place(store, first) == {2**64 - 1: NOW_NS, 7: NOW_NS}
    again = [Correction(7, "b", 0, 2, NOW_NS + HOUR_NS), Correction(8, "b", 1, 1, NOW_NS + HOUR_NS)]
    assert corrections.place(store, again) == {7: NOW_NS, 8: NOW_NS + HOUR_NS}
    assert corrections.of_agents(store, NOW_NS - 1) == [("b", 1, 3), ("a", 1, 0)]
    assert corrections.of_agents(store, NOW_NS + 1_000) == [("b", 1, 1)]


def test_of_two_collectors_at_once_the_first_moment_stays(store: Client) -> None:
    corrections.place(store, [Correction(7, "b", 0, 2, NOW_NS)])
    # As another collector does that did not find it yet.
    micros = (NOW_NS + HOUR_NS) // 1000
    store.insert(
        "corrections",
        {
            "batch_id": [7], "agent": ["b"], "late": [0], "future": [2], "placed_at": [micros],
            "precedence": [2**63 - micros],
        },
    )  # fmt: skip
    assert corrections.place(store, [Correction(7, "b", 0, 2, NOW_NS + 2 * HOUR_NS)]) == {7: NOW_NS}
    store.command("OPTIMIZE TABLE corrections FINAL")
    assert corrections.place(store, [Correction(7, "b", 0, 2, NOW_NS + 2 * HOUR_NS)]) == {7: NOW_NS}
    assert corrections.of_agents(store, NOW_NS - 1) == [("b", 0, 2)]
