"""How the agent fares goes past the spool, first thing on each stream, and only the newest counts."""

from pivotscope.v1 import agent_pb2 as pb

from tests.agent.pipeline.conftest import Eventually, FakeClock, FakeCollector, Sending


def statuses(collector: FakeCollector) -> list[list[str]]:
    """Versions that the statuses of each stream named."""
    return [
        [request.status.agent_version for request in stream if request.WhichOneof("message") == "status"]
        for stream in collector.streams
    ]


def status(name: str) -> pb.AgentStatus:
    return pb.AgentStatus(agent_version=name)


async def test_it_is_told_on_this_stream_and_on_the_next(
    sending: Sending, collector: FakeCollector, eventually: Eventually
) -> None:
    sender = sending.exporter
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
    sending: Sending, collector: FakeCollector, eventually: Eventually, clock: FakeClock
) -> None:
    sender = sending.exporter
    sender.start()
    await eventually(lambda: statuses(collector))
    assert sender.status.acknowledged_unix_ns == 0
    sending.add()
    sender.wake()
    await eventually(lambda: sender.status.acknowledged == 1)
    assert 0 < sender.status.acknowledged_unix_ns <= clock.unix_ns()
