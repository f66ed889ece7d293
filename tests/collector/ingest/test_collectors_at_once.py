"""Two collectors that take one batch at once, and one that gets it again: its windows count once."""

import time
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.ingest.decode import Origin, Received
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.gather import gather
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.store import corrections
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.writer import Writer

from tests.collector.turns import Turned, in_turns

pytestmark = pytest.mark.engine

SECOND = 10**9
MINUTE = 60 * SECOND
LIMITS = Limits()
BOTH_LOOK_FIRST = (0, 1, 0, 1, 0, 1)
STARTS = {
    "late": -(LIMITS.age_seconds + 60) * SECOND,
    "late to one of them": -LIMITS.age_seconds * SECOND + MINUTE // 2,
    "in the future": (LIMITS.future_seconds + 3_600) * SECOND,
    "in the future to one of them": LIMITS.future_seconds * SECOND + MINUTE // 2,
}


def _collect(client: Client, received: Received) -> None:
    """What the commit of a collector does with a batch."""
    gathered = gather([received], LIMITS, partial(corrections.place, client))
    assert gathered.verdicts == [None]
    Writer(client, Reception(client, SystemClock()), Counters(), 30.0).write(gathered.rows)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("after", [(0, MINUTE), (MINUTE, 0)], ids=["first earlier", "second earlier"])
def test_windows_count_once(
    *,
    store: Client,
    batch: Callable[..., pb.Batch],
    window: Callable[..., pb.Window],
    dictionary: Dictionary,
    start: str,
    after: Sequence[int],
) -> None:
    now = time.time_ns() - 10 * MINUTE
    sent = batch(windows=[window(started_unix_ns=now + STARTS[start]), window(started_unix_ns=now)])
    received = [Received(sent, dictionary, Origin("a", 1), now + late) for late in after]
    clients = [Turned(store, number) for number in range(2)]
    in_turns(BOTH_LOOK_FIRST, clients, [partial(_collect, received=one) for one in received])
    # As it is when no acknowledgement reached the agent.
    _collect(store, Received(sent, dictionary, Origin("a", 1), now + 3 * MINUTE))
    for client in clients:
        client.close()
    assert store.run("SELECT position FROM windows FINAL ORDER BY position")["position"] == [0, 1]
