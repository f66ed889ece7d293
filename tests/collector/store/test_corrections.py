"""Where windows with unbelievable times are booked."""

import time
from collections.abc import Mapping
from functools import partial
from itertools import combinations
from typing import Any

import pytest
from pivotscope_collector.errors import StoreError
from pivotscope_collector.store import corrections
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.corrections import Correction

from tests.collector.turns import Turned, in_turns

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


ORDERS = [tuple(int(step not in firsts) for step in range(6)) for firsts in combinations(range(6), 3)]
"""Every order of two times three statements: look, claim, look again."""


@pytest.mark.parametrize("moments", [(0, HOUR_NS), (HOUR_NS, 0)], ids=["first earlier", "second earlier"])
def test_two_collectors_at_once_name_the_same_moment(store: Client, moments: tuple[int, int]) -> None:
    clients = [Turned(store, number) for number in range(2)]
    for batch_id, order in enumerate(ORDERS, 1):
        works = [partial(_moment, one=Correction(batch_id, "b", 1, 0, NOW_NS + later)) for later in moments]
        first, second = in_turns(order, clients, works)
        third = _moment(store, Correction(batch_id, "b", 1, 0, NOW_NS + 2 * HOUR_NS))
        assert first == second == third
        # Who claims first has it, whichever moment that is.
        claims = [number for step, number in enumerate(order) if order[:step].count(number) == 1]
        assert first == NOW_NS + moments[claims[0]]
    for client in clients:
        client.close()
    assert corrections.of_agents(store, NOW_NS - 1) == [("b", len(ORDERS), 0)]


def test_a_collector_that_dies_after_its_claim_is_believed(store: Client) -> None:
    class Dying(Turned):
        def insert(self, table: str, columns: Mapping[str, Any], token: str = "") -> None:
            super().insert(table, columns, token)
            raise StoreError("cut off")

    dying = Dying(store, 0)
    with pytest.raises(StoreError, match="cut off"):
        _moment(dying, Correction(7, "b", 1, 0, NOW_NS))
    dying.close()
    assert _moment(store, Correction(7, "b", 1, 0, NOW_NS + HOUR_NS)) == NOW_NS


def test_a_replica_that_is_behind_is_waited_for(store: Client) -> None:
    class Behind(Turned):
        behind = 3

        def query(self, name: str, parameters: Mapping[str, object] | None = None, *, of_rows: bool = False) -> Any:
            found = super().query(name, parameters, of_rows=of_rows)
            if name != "corrections_placed":
                return found
            self.behind -= 1
            return {column: [] for column in found} if self.behind >= 0 else found

    assert _moment(store, Correction(7, "b", 1, 0, NOW_NS)) == NOW_NS
    behind, waits = Behind(store, 0), list[float]()
    again = [Correction(7, "b", 1, 0, NOW_NS + HOUR_NS)]
    assert corrections.place(behind, again, sleep=waits.append) == {7: NOW_NS}
    assert len(waits) == 2
    behind.behind = 1_000
    with pytest.raises(StoreError, match="1 batches first came is stored, and cannot be read for 0 s"):
        corrections.place(behind, again, patience=0.0, sleep=waits.append)
    behind.close()


def test_of_two_rows_the_earlier_stays(store: Client) -> None:
    """As they are where a claim came after its token was forgotten."""
    for later in (HOUR_NS, 0):
        micros = (NOW_NS + later) // 1000
        row: dict[str, Any] = {"batch_id": [7], "agent": ["b"], "late": [0], "future": [2], "placed_at": [micros],
               "precedence": [2**63 - micros]}  # fmt: skip
        store.insert("corrections", row, token=str(later))
    for _ in range(2):
        assert _moment(store, Correction(7, "b", 0, 2, NOW_NS + 2 * HOUR_NS)) == NOW_NS
        store.command("OPTIMIZE TABLE corrections FINAL")
    assert corrections.of_agents(store, NOW_NS - 1) == [("b", 0, 2)]


def test_what_was_only_in_doubt_is_no_correction_to_tell_of(store: Client) -> None:
    corrections.place(store, [Correction(7, "b", 0, 0, NOW_NS)])
    assert corrections.of_agents(store, NOW_NS - 1) == []


def _moment(client: Client, one: Correction) -> int:
    return corrections.place(client, [one])[one.batch_id]
