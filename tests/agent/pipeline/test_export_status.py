"""How the agent fares goes past the spool, first thing on each stream, and only the newest counts."""

from collections.abc import Callable
from typing import Any

from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.pipeline.export import Exporter
from pivotscope_agent.pipeline.spool import Spool

from tests.agent.pipeline.conftest import Eventually, FakeCollector


def statuses(collector: FakeCollector) -> list[list[str]]:
    """Versions that the statuses of each stream named."""
    return [
        [request.status.agent_version for request in stream if request.WhichOneof("message") == "status"]
        for stream in collector.streams
    ]


def status(name: str) -> pb.AgentStatus:
    return pb.AgentStatus(agent_version=name)


async def test_it_is_told_on_this_stream_and_on_the_next(
    *, collector: FakeCollector, open_: Callable[..., Spool], exporter: Callable[..., Exporter], eventually: Eventually
) -> None:
    sender = exporter(open_())
    running_before = sender.running
    assert not running_before
    sender.tell(status("first"))
    sender.tell(status("second"))
    sender.start()
    assert sender.running
    await eventually(lambda: statuses(collector) == [["second"]])
    sender.tell(status("third"))
    await eventually(lambda: statuses(collector) == [["second", "third"]])
    session = sender._session
    assert session is not None
    session.renew()
    await eventually(lambda: statuses(collector) == [["second", "third"], ["third"]])
    await sender.close(5)
    running_after = sender.running
    assert not running_after


async def test_the_time_of_the_last_acknowledgement_is_known(
    *,
    collector: FakeCollector,
    open_: Callable[..., Spool],
    record: Callable[..., Any],
    exporter: Callable[..., Exporter],
    eventually: Eventually,
    clock: Any,
) -> None:
    spool = open_()
    sender = exporter(spool)
    sender.start()
    await eventually(lambda: statuses(collector))
    assert sender.status.acknowledged_unix_ns == 0
    spool.append(*record())
    sender.wake()
    await eventually(lambda: sender.status.acknowledged == 1)
    assert 0 < sender.status.acknowledged_unix_ns <= clock.unix_ns()
