"""What a group of rows writes, against the real engine."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.errors import StoreAwayError
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.native import Column
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.writer import Writer

from tests.collector.store.conftest import MARGIN, MakeRows, SetClock

pytestmark = pytest.mark.engine


def test_stacks_are_written_when_they_are_defined_and_once(
    store: Client, clock: SetClock, window_rows: MakeRows
) -> None:
    counters = Counters()
    writer = Writer(store, Reception(store, clock), counters, MARGIN)
    first, later = window_rows({(1, 2): 3}), window_rows({(1, 3): 4})
    defined = np.array([*first.stacks, *later.stacks], np.uint64)
    writer.write(
        replace(
            first,
            defined=defined,
            stacks={**first.stacks, **later.stacks},
            functions={**first.functions, **later.functions},
        )
    )
    written = counters.get(Count.ROWS_STORED, "stacks"), counters.get(Count.ROWS_STORED, "functions")
    assert written == (2, 3)
    writer.write(later)
    assert counters.get(Count.ROWS_STORED, "stacks") == 2
    found = store.run("SELECT stack_id, functions FROM stacks ORDER BY functions")
    assert found["functions"] == [[1, 2], [1, 3]]
    assert found["stack_id"] == defined.tolist()


def test_stacks_that_were_never_announced_are_written_with_their_samples(
    store: Client, clock: SetClock, window_rows: MakeRows
) -> None:
    """A batch that is sent again after a failure brings no definitions."""
    Writer(store, Reception(store, clock), Counters(), MARGIN).write(window_rows({(1, 2): 3}))
    assert store.run("SELECT functions FROM stacks")["functions"] == [[1, 2]]


class Slow:
    """A store whose first inserts of windows take longer than a roll-up waits for; keeps the moments of all."""

    def __init__(self, clock: SetClock, inserts: int) -> None:
        self.moments: list[object] = []
        self._clock = clock
        self._inserts = inserts

    def writes(self, _table: str) -> int:
        return 0

    def query(self, _name: str) -> dict[str, list[int]]:
        return {"last_us": [0]}

    def insert(self, table: str, columns: Mapping[str, Column]) -> None:
        if table == "windows":
            self.moments.append(columns["received_at"])
            self._clock.now += MARGIN if len(self.moments) <= self._inserts else 0.0


def test_windows_that_took_too_long_are_written_again_as_received_now(clock: SetClock, window_rows: MakeRows) -> None:
    slow, counters, began = Slow(clock, inserts=2), Counters(), clock.now
    Writer(cast("Client", slow), Reception(cast("Client", slow), clock), counters, MARGIN).write(
        window_rows({(1, 2): 3})
    )
    assert slow.moments == [[int((began + late) * 1e6)] for late in (0, MARGIN, 2 * MARGIN)]
    assert counters.get(Count.COMMITS_REPEATED) == 2
    assert counters.get(Count.ROWS_STORED, "samples") == 1


def test_a_store_that_stays_too_slow_is_given_up(clock: SetClock, window_rows: MakeRows) -> None:
    slow, counters = Slow(clock, inserts=4), Counters()
    with pytest.raises(StoreAwayError, match="3 inserts in a row took longer than 15 s each"):
        Writer(cast("Client", slow), Reception(cast("Client", slow), clock), counters, MARGIN).write(
            window_rows({(1, 2): 3})
        )
    assert len(slow.moments) == 3
    assert counters.get(Count.ROWS_STORED, "samples") == 0
