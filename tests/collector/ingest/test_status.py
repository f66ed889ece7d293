"""Statuses of agents: the newest is stored, floods and giants are passed over, and no batch waits for one."""

from base64 import b64decode
from collections.abc import AsyncIterator, Iterable

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.errors import StoreError
from pivotscope_collector.ingest.committer import Committer
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.session import Incoming, Session
from pivotscope_collector.store.rows import AGENT, Rows


class SetClock:
    """Time that moves by as much as it is told, at each look."""

    def __init__(self, step: float) -> None:
        self._now, self._step = 1_000.0, step

    def monotonic(self) -> float:
        self._now += self._step
        return self._now

    def unix_ns(self) -> int:
        return int(self._now * 1e9)


async def run(statuses: Iterable[pb.AgentStatus], step: float, *, fails: bool = False) -> tuple[list[Rows], Counters]:
    stored: list[Rows] = []

    def write(rows: Rows) -> None:
        if fails:
            raise StoreError("away")
        stored.append(rows)

    async def requests() -> AsyncIterator[Incoming]:
        for status in statuses:
            yield Incoming.parse(pb.StreamRequest(status=status).SerializeToString())

    counters = Counters()
    committer = Committer(write, counters, seconds=0.0, rows=1)
    committer.start()
    hello = pb.Hello(agent_id="a", epoch=1, targets=2)
    session = Session(hello, 0, committer, clock=SetClock(step), counters=counters, limits=Limits(status_bytes=1000))
    await session.read(requests())
    assert [answer async for answer in session.answers()] == []
    await committer.close()
    return stored, counters


async def test_a_status_is_stored_with_the_number_of_targets() -> None:
    message = pb.AgentStatus(target_states={"sampling": 3, "unsupported": 1}, agent_version="0.1.0")
    stored, _ = await run([message, message], step=6.0)
    rows = [row for group in stored for row in group.statuses]
    assert [(row[0], row[2]) for row in rows] == [("a", {"sampling": 3, "unsupported": 1})] * 2
    assert pb.AgentStatus.FromString(b64decode(str(rows[0][3]))) == message
    agents = [row for group in stored for row in group.agents]
    assert [row[AGENT.index("targets")] for row in (agents[0], agents[-1])] == [2, 4]


async def test_more_targets_than_there_can_be_are_as_many_as_the_column_holds() -> None:
    stored, _ = await run([pb.AgentStatus(target_states={"sampling": 2**32 - 1, "waiting": 1})], step=10.0)
    targets = [row[AGENT.index("targets")] for group in stored for row in group.agents]
    assert targets[-1] == 2**32 - 1


async def test_floods_and_giants_are_counted_and_passed_over() -> None:
    giant = pb.AgentStatus(problems=["x" * 2000])
    stored, counters = await run([pb.AgentStatus()] * 10, step=0.01)
    assert sum(len(group.statuses) for group in stored) == 1
    assert counters.get(Count.STATUSES_REFUSED, "too_soon") == 9
    stored, counters = await run([giant], step=10.0)
    assert sum(len(group.statuses) for group in stored) == 0
    assert counters.get(Count.STATUSES_REFUSED, "too_large") == 1


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
async def test_a_store_that_is_away_ends_no_stream() -> None:
    stored, counters = await run([pb.AgentStatus()], step=10.0, fails=True)
    assert stored == []
    assert counters.get(Count.COMMIT_FAILURES) > 0
