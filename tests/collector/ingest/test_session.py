"""One stream: what it holds is bounded, whatever the agent does, and what was stored is acknowledged."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, cast

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.ingest.committer import Committer, Outcome, Told
from pivotscope_collector.ingest.decode import Received
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Part, Partial, invalid
from pivotscope_collector.ingest.session import Incoming, Session


class Store:
    """Stands for the committer: takes batches, and settles them when it is told to."""

    full = False

    def __init__(self) -> None:
        self.waiting: list[tuple[Told, Any]] = []

    def submit(self, part: object, tell: Told, mark: object = None, _octets: int = 0) -> None:
        if isinstance(part, Received):
            self.waiting.append((tell, mark))

    async def room(self) -> None:
        """There is always room."""

    def settle(self, outcome: Outcome = None) -> None:
        """So the oldest came out."""
        tell, mark = self.waiting.pop(0)
        tell([(mark, outcome)])


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def opened(store: Store) -> Callable[..., Session]:
    def make(limits: Limits | None = None) -> Session:
        hello = pb.Hello(agent_id="a", epoch=1)
        return Session(
            hello, 0, cast("Committer", store), clock=SystemClock(), counters=Counters(), limits=limits or Limits()
        )

    return make


async def _sent(batches: Iterable[pb.Batch]) -> AsyncIterator[Incoming]:
    for batch in batches:
        yield Incoming.parse(pb.StreamRequest(batch=batch).SerializeToString())


async def test_a_crowded_batch_does_not_reach_the_committer(store: Store, opened: Callable[..., Session]) -> None:
    session = opened()
    await session.read(_sent([pb.Batch(sequence=1, points=[pb.MetricPoint()] * 5000)]))
    rejection, ack = [answer async for answer in session.answers()]
    assert rejection.rejection.reason == pb.REJECTION_REASON_TOO_LARGE
    assert ack.ack.sequence == 1
    assert store.waiting == []


async def test_a_rejection_names_every_part_that_fits_a_batch(store: Store, opened: Callable[..., Session]) -> None:
    """The agent learns of each window what it owes; a message of four megabytes is more than it reads."""
    session = opened()
    await session.read(_sent([pb.Batch(sequence=1)]))
    many = Limits().parts
    store.settle(Partial(tuple(Part(pb.PART_KIND_WINDOW, one, invalid("x" * 4096)) for one in range(many))))
    rejection = (await anext(session.answers())).rejection
    assert [part.position for part in rejection.parts] == list(range(many))
    assert rejection.ByteSize() < 64 * 1024
