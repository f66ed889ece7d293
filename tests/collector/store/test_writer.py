"""What a group of rows writes, against the real engine."""

from dataclasses import replace

import numpy as np
import pytest
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.writer import Writer

from tests.collector.store.conftest import MARGIN, MakeRows, SetClock

pytestmark = pytest.mark.engine


def test_stacks_are_written_when_they_are_defined_and_once(
    store: Client, clock: SetClock, window_rows: MakeRows
) -> None:
    counters = Counters()
    writer = Writer(store, clock, counters, MARGIN)
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
    Writer(store, clock, Counters(), MARGIN).write(window_rows({(1, 2): 3}))
    assert store.run("SELECT functions FROM stacks")["functions"] == [[1, 2]]
