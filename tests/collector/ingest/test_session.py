"""One stream: what it holds is bounded, whatever the agent does, and what was stored is acknowledged."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, cast

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.errors import StoreError
from pivotscope_collector.ingest.committer import Committer, Outcome, Told
from pivotscope_collector.ingest.decode import Received
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Part, Partial, invalid
from pivotscope_collector.ingest.session import Incoming, Session


class Store:
    """Stands for the committer: takes batches, and settles them when it is told to."""

    full = False

    def __init__(self) -> None:
        self.parts: list[Received] = []
        self.waiting: list[tuple[Told, Any]] = []

    def submit(self, part: object, tell: Told, mark: object = None, _octets: int = 0) -> None:
        if isinstance(part, Received):
            self.parts.append(part)
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


class Reading:
    """Batches as they are asked for, and how many were."""

    def __init__(self, batches: Iterable[pb.Batch]) -> None:
        self._batches = batches
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[Incoming]:
        async for one in _sent(self._batches):
            self.read += 1
            yield one


async def _until_all_wait() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


async def test_who_takes_no_answers_is_not_read_on(opened: Callable[..., Session]) -> None:
    session = opened(Limits(in_flight=4, parts=0))
    sent = Reading(pb.Batch(sequence=one, windows=[pb.Window()]) for one in range(1, 21))
    reader = asyncio.create_task(session.read(sent))
    await _until_all_wait()
    assert sent.read == 4
    answers = [answer async for answer in session.answers()]
    await reader
    assert [one.rejection.sequence for one in answers if one.HasField("rejection")] == list(range(1, 21))
    assert answers[-1].ack.sequence == 20


async def test_who_never_repeats_what_is_expected_again_is_not_read_on(
    store: Store, opened: Callable[..., Session]
) -> None:
    session = opened(Limits(unacknowledged=8))
    sent = Reading(pb.Batch(sequence=one) for one in range(1, 21))
    reader = asyncio.create_task(session.read(sent))
    answers = session.answers()
    told = asyncio.ensure_future(anext(answers))
    await _until_all_wait()
    assert sent.read == 8
    store.settle(StoreError("away"))
    assert (await told).rejection.retryable
    while store.waiting:
        store.settle()
    more = asyncio.ensure_future(anext(answers))
    await _until_all_wait()
    assert (sent.read, more.done()) == (8, False)
    for task in (more, reader):
        task.cancel()
    await asyncio.wait([more, reader])


async def test_what_is_settled_while_an_answer_is_sent_is_acknowledged(
    store: Store, opened: Callable[..., Session]
) -> None:
    session = opened()
    await session.read(_sent(pb.Batch(sequence=one) for one in (1, 2, 3)))
    answers = session.answers()
    store.settle()
    assert (await anext(answers)).ack.sequence == 1
    store.settle()
    store.settle()
    assert [answer.ack.sequence async for answer in answers] == [3]
    assert store.waiting == []


async def test_definitions_of_nothing_are_not_kept(store: Store, opened: Callable[..., Session]) -> None:
    session = opened()

    async def sent() -> AsyncIterator[Incoming]:
        for _ in range(5):
            yield Incoming(pb.StreamRequest(definitions=pb.Definitions()), 4)
        yield Incoming(pb.StreamRequest(batch=pb.Batch(sequence=1)), 4)

    await session.read(sent())
    assert [list(part.defined) for part in store.parts] == [[]]
