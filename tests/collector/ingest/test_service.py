"""What an agent may say of itself."""

from collections.abc import AsyncIterator
from typing import Any, cast

import grpc
import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.ingest.committer import Committer
from pivotscope_collector.ingest.desired import Desired
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.service import AgentService
from pivotscope_collector.ingest.session import Incoming
from pivotscope_collector.store.client import Client


class AbortedError(Exception):
    """A call ended with a status."""


class Call:
    """The context of a call that nobody waits for."""

    async def abort(self, status: grpc.StatusCode, problem: str) -> None:
        raise AbortedError(status, problem)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"agent_id": ""}, "agent_id has 0 characters"),
        ({"host": "h" * 257}, "of more than 256 characters"),
        ({"abilities": ["python", "x" * 257]}, "of more than 256 characters"),
        ({"abilities": ["python"] * 65}, "more than 64 abilities"),
    ],
)
async def test_a_hello_that_says_too_much_opens_no_stream(fields: dict[str, Any], said: str) -> None:
    hello = pb.Hello(**{"agent_id": "a", "epoch": 1, **fields})

    async def requests() -> AsyncIterator[Incoming]:
        yield Incoming.parse(pb.StreamRequest(hello=hello).SerializeToString())

    nothing, clock, counters = cast("Client", None), SystemClock(), Counters()
    service = AgentService(
        nothing,
        cast("Committer", None),
        clock,
        counters,
        version="0",
        limits=Limits(),
        desired=Desired(nothing, clock),
    )
    with pytest.raises(AbortedError, match=said):
        await anext(service.stream(requests(), cast("Any", Call())))
    assert counters.get(Count.STREAMS_REFUSED, "hello") == 1
