"""What is remembered of stretches of time is what the store says, whatever came meanwhile and whoever took it in."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray
from pivotscope_collector.estimates.columns import FunctionColumns, union
from pivotscope_collector.estimates.seen import InParts
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.processes import PROCESSES, largest
from pivotscope_collector.store.recall import Recall
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.selection import DAY, HOUR, MINUTE, Selection
from pivotscope_collector.store.totals import sampled, stepped, whole
from pivotscope_collector.store.writer import Writer

pytestmark = pytest.mark.engine

Make = Callable[..., Rows]
ROOM = 1 << 24


class Moved(Protocol):
    """A clock that tests set."""

    now: float


def _both(pools: Any, found: Any) -> tuple[Any, Any]:
    return pools, found


def _all(pools: Any, found: Any, processes: Any) -> tuple[Any, Any, Any]:
    return pools, found, processes


def _answers(recall: Recall, selection: Selection, step: int) -> tuple[Any, ...]:
    """Everything that questions make of a selection; moments in the end, as a list."""
    pools, functions, processes = whole(recall, selection, _all, PROCESSES)
    columns = [(pool, mode, *summed(parts)) for pool, modes in functions.items() for mode, parts in modes.items()]
    by_step, seen = stepped(recall, selection, 1, _both, step)
    known, stacks = sampled(recall, selection, (), _both)
    samples: dict[tuple[int, int], int] = {}
    for one in stacks:
        rows = zip(one.pools.tolist(), one.ids[one.place].tolist(), one.samples.tolist(), strict=True)
        for key, stack, count in rows:
            samples[key, stack] = samples.get((key, stack), 0) + count
    return (
        pools.sums,
        largest(processes).most,
        [(*names, sums[:4].tolist()) for *names, sums in columns],
        {start: list(rows) for start, rows in by_step.items()},
        {start: [row.total_samples for row in rows] for start, rows in seen.items()},
        known.sums,
        samples,
        [value for *_, sums in columns for value in sums[4:].ravel().tolist()],
    )


def summed(parts: Sequence[FunctionColumns]) -> tuple[list[int], NDArray[np.float64]]:
    """Ids of functions and their sums over all parts."""
    ids = union([one.ids for one in parts])
    return ids.tolist(), InParts(ids, 1, [(0, one) for one in parts]).at(np.arange(len(ids))).sums[:, 0]


def _agree(found: tuple[Any, ...], expected: tuple[Any, ...]) -> bool:
    """Counts to the unit, moments as precisely as roll-ups keep them."""
    return found[:-1] == expected[:-1] and found[-1] == pytest.approx(expected[-1], rel=1e-4)


def test_what_is_remembered_agrees_with_what_is_read(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    random, start = Random(5), int(clock.now) // DAY * DAY
    recalls = Recall(store, ROOM), Recall(store, 30_000)
    twin = Client(path=store._path, url=store._url, database=store.database)
    taken_in = (writer, Writer(twin, writer._reception, writer._counters, 30.0))
    for round_ in range(10):
        for _ in range(random.randint(0, 4)):
            # Of late, or late by hours.
            past = random.choice((0, 0, random.randrange(9 * 60))) * MINUTE
            minute = max(start, int(clock.now) // MINUTE * MINUTE - past)
            stacks = {(1, random.randint(2, 4)): random.randint(1, 9), (1,): 1}
            version, mode = random.choice(("1", "2")), random.choice(("gil", "active"))
            random.choice(taken_in).write(window_rows(stacks, minute=minute, version=version, mode=mode, cpu_user_ns=7))
        clock.now += random.choice((20, 60, 200, 5000))
        if round_ % 3:
            roll_up.run()
        end = int(clock.now) // MINUTE * MINUTE + random.choice((MINUTE, 0, -600, -HOUR))
        since = end - random.choice((5 * MINUTE, HOUR, 5 * HOUR, 7 * HOUR, 30 * HOUR))
        step = MINUTE if end - since <= HOUR else HOUR
        selection = Selection(since * 10**9, end * 10**9, version=random.choice((None, "", "2")))
        expected = _answers(Recall(store, 0), selection, step)
        assert all(_agree(_answers(recall, selection, step), expected) for recall in (*recalls, recalls[0]))
    twin.close()


def test_what_is_over_is_read_once(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    minute = int(clock.now) // MINUTE * MINUTE
    recall, selection = Recall(store, ROOM), Selection((minute - HOUR) * 10**9, (minute + HOUR) * 10**9)
    writer.write(window_rows({(1, 2): 3}))
    writer.write(window_rows({(1, 2): 4}, minute=minute + MINUTE))
    clock.now += 2 * HOUR
    roll_up.run()
    before = _answers(recall, selection, MINUTE)
    # As a whole, and, being near to that, in pieces.
    longer = Selection(selection.since_ns - 600 * 10**9, selection.until_ns)
    assert whole(recall, longer, _both)[0].sums == before[0]
    for table in ("pools_minute", "functions_minute"):
        store.command(f"TRUNCATE TABLE {table}")
    assert _answers(recall, selection, MINUTE) == before
    # An hour later most of it is still known; what is not reads as nothing.
    later = Selection(selection.since_ns + 600 * 10**9, selection.until_ns)
    assert whole(recall, later, _both)[0].sums == before[0]
    assert whole(Recall(store, ROOM), later, _both)[0].sums == []


def test_what_is_asked_for_alone_is_read_as_one(
    store: Client, writer: Writer, roll_up: RollUp, window_rows: Make, clock: Moved
) -> None:
    minute = int(clock.now) // HOUR * HOUR
    writer.write(window_rows({(1, 2): 3}, minute=minute))
    clock.now += 2 * HOUR
    roll_up.run()
    cut: list[bool] = []
    recall, blocks = Recall(store, ROOM), store.blocks

    def told(sql: str, parameters: Any = None) -> Any:
        cut.append("roundDown" in sql)
        return blocks(sql, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "blocks", told)
        # Near to one before it is read in pieces; of what is known nothing is read.
        asked = ((-7, 20, False), (-7, 20, False), (-6, 21, True), (-99, -88, False), (-6, 21, False))
        for since, until, pieces in asked:
            cut.clear()
            selection = Selection((minute + since * MINUTE) * 10**9, (minute + until * MINUTE) * 10**9)
            assert len(whole(recall, selection, _both)[0].keys) == (until > 0)
            assert any(cut) is pieces
        # Pools are known in pieces; stacks are asked for alone.
        cut.clear()
        assert len(sampled(recall, selection, (), _both)[1]) == 1
        assert cut
        assert not any(cut)
