"""What the doorman lets through, and what its refusals cost."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.security.audit import Audit
from pivotscope_collector.security.book import TokenBook
from pivotscope_collector.security.doorman import Doorman
from pivotscope_collector.security.rate import Buckets
from pivotscope_collector.security.token import digest
from pivotscope_collector.store.client import Client, Columns

ADMIN, STREAM = "/pivotscope.v1.AdminService/ListTokens", "/pivotscope.v1.AgentService/Stream"
AGENT, FIRST = "pvs_a_secret", "first"


class Recording:
    """Stands for a store with one token that may write; keeps what is inserted."""

    def __init__(self) -> None:
        self.inserted: list[str] = []

    def writes(self, _table: str) -> int | None:
        return 0

    def query(self, _name: str) -> Columns:
        row = ("a", "agents", digest(AGENT), 0, 0, ["shop"], 0, "boss", 2**32, "")
        names = "token_id name digest may_read may_admin may_write created_ms created_by ends revoked_by"
        return {name: [value] for name, value in zip(names.split(), row, strict=True)}

    def insert(self, table: str, _columns: Mapping[str, object]) -> None:
        self.inserted.append(table)


class AbortedError(Exception):
    """A call was refused."""


class Call:
    """The context of one call; keeps the status that it ended with."""

    def __init__(self) -> None:
        self.status = grpc.StatusCode.OK

    async def abort(self, code: grpc.StatusCode, _detail: str) -> None:
        self.status = code
        raise AbortedError

    def code(self) -> grpc.StatusCode:
        return self.status

    def peer(self) -> str:
        return "ipv4:10.0.0.1:5"

    def auth_context(self) -> Mapping[str, list[bytes]]:
        return {}


async def _answer(_request: object, _context: object) -> str:
    return "answer"


async def _messages() -> AsyncIterator[str]:
    yield "hello"


@pytest.fixture
def store() -> Recording:
    return Recording()


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def called(store: Recording, counters: Counters) -> Callable[..., Any]:
    """Call a method with a token; gives the status. Two calls and three streams are let through."""
    client, clock = cast("Client", store), SystemClock()
    book = TokenBook(client, clock, lambda: FIRST)
    book.refresh()
    calls, streams = Buckets(1.0, lambda: 0.0, 2.0), Buckets(1.0, lambda: 0.0, 3.0)
    doorman = Doorman(book, calls, streams, Audit(client, clock, counters), counters)

    async def call(method: str, token: str) -> grpc.StatusCode:
        streaming = method == STREAM
        make = grpc.stream_stream_rpc_method_handler if streaming else grpc.unary_unary_rpc_method_handler

        async def handler(_details: object) -> object:
            return make(_answer)

        details = SimpleNamespace(method=method, invocation_metadata=(("authorization", f"Bearer {token}"),))
        found = await doorman.intercept_service(handler, cast("grpc.HandlerCallDetails", details))
        context = Call()
        with suppress(AbortedError):
            await (found.stream_stream(_messages(), context) if streaming else found.unary_unary(None, context))
        return context.status

    return call


async def test_refusals_beyond_the_rate_are_counted_and_not_stored(
    called: Callable[..., Any], store: Recording, counters: Counters
) -> None:
    found = [await called(ADMIN, AGENT) for _ in range(50)]
    assert found == [grpc.StatusCode.PERMISSION_DENIED] * 2 + [grpc.StatusCode.RESOURCE_EXHAUSTED] * 48
    assert store.inserted == ["audit"] * 2
    assert counters.get(Count.CALLS_REFUSED, "rate") == 48
    assert await called(ADMIN, FIRST) is grpc.StatusCode.OK


async def test_streams_have_a_rate_of_their_own(called: Callable[..., Any], counters: Counters) -> None:
    for _ in range(3):
        await called(ADMIN, AGENT)
    found = [await called(STREAM, AGENT) for _ in range(5)]
    assert found == [grpc.StatusCode.OK] * 3 + [grpc.StatusCode.RESOURCE_EXHAUSTED] * 2
    assert counters.get(Count.CALLS_REFUSED, "rate") == 3
