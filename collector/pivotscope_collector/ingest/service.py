"""The gRPC service that agents stream to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.clock import Clock
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.errors import StoreError, UsageError
from pivotscope_collector.ingest.cardinality import Cardinality
from pivotscope_collector.ingest.committer import Committer
from pivotscope_collector.ingest.desired import Desired
from pivotscope_collector.ingest.dictionary import Vouch
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.session import Incoming, Session
from pivotscope_collector.security.grant import CALLER, Grant
from pivotscope_collector.store.client import Client

_Context = grpc.aio.ServicerContext[Incoming, pb.StreamResponse]
_NAME = pb.DESCRIPTOR.services_by_name["AgentService"].full_name

Watch = Callable[[Grant, Callable[[str], None]], AbstractContextManager[None]]


def _unwatched(_grant: Grant, _tell: Callable[[str], None]) -> AbstractContextManager[None]:
    return nullcontext()


class AgentService:
    """Opens a session for every stream; the token was checked before the call got here.

    `watch` tells a stream that its token has ended; what was read by then is settled, then the stream ends.
    """

    def __init__(
        self,
        client: Client,
        committer: Committer,
        clock: Clock,
        counters: Counters,
        *,
        version: str,
        limits: Limits,
        desired: Desired,
        cardinality: Cardinality | None = None,
        vouch: Vouch | None = None,
        watch: Watch = _unwatched,
    ) -> None:
        self._client = client
        self._committer = committer
        self._clock = clock
        self._counters = counters
        self._version = version
        self._limits = limits
        self._desired = desired
        self._cardinality = cardinality
        self._vouch = vouch
        self._watch = watch
        self._readers: set[asyncio.Task[None]] = set()

    @property
    def streams(self) -> int:
        """Streams that are open."""
        return len(self._readers)

    def drain(self) -> None:
        """Read nothing more: every stream ends once what was read is settled and acknowledged."""
        for reader in self._readers:
            reader.cancel()

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve streams there, as the generated code would, but with the size of each message as it came."""
        stream = grpc.stream_stream_rpc_method_handler(
            self.stream, request_deserializer=Incoming.parse, response_serializer=pb.StreamResponse.SerializeToString
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_NAME, {"Stream": stream}),))

    async def stream(self, requests: AsyncIterator[Incoming], context: _Context) -> AsyncIterator[pb.StreamResponse]:
        """See agent.proto."""
        hello, received_ns = await self._hello(requests, context)
        try:
            first_seen = await asyncio.to_thread(self._first_seen_ms, hello.agent_id)
        except StoreError as error:
            self._counters.add(Count.STREAMS_REFUSED, label="store")
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        grant = CALLER.get()
        session = Session(
            hello,
            first_seen,
            self._committer,
            clock=self._clock,
            counters=self._counters,
            limits=self._limits,
            grant=grant,
            cardinality=self._cardinality,
            vouch=self._vouch,
        )
        self._counters.add(Count.STREAMS)
        yield pb.StreamResponse(
            welcome=pb.Welcome(
                collector_version=self._version,
                received_unix_ns=received_ns,
                sent_unix_ns=self._clock.unix_ns(),
                max_in_flight=self._limits.in_flight,
                max_message_bytes=self._limits.message_bytes,
            )
        )
        reader = asyncio.create_task(session.read(requests))
        self._readers.add(reader)
        ended: list[str] = []

        def end(problem: str) -> None:
            ended.append(problem)
            reader.cancel()

        try:
            with self._watch(grant, end), self._desired.following(hello.agent_id, grant, session.send):
                async for answer in session.answers():
                    yield answer
            if ended:
                self._counters.add(Count.STREAMS_ENDED)
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, ended[0])
            problem = await _outcome(reader)
            if problem:
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, problem)
        finally:
            self._readers.discard(reader)
            reader.cancel()
            await _outcome(reader)

    async def _hello(self, requests: AsyncIterator[Incoming], context: _Context) -> tuple[pb.Hello, int]:
        """The first message and when it came; aborts the call if it is not a proper Hello."""
        problem = f"no Hello within {self._limits.hello_seconds:g} s"
        try:
            async with asyncio.timeout(self._limits.hello_seconds):
                first = await anext(requests, None)
        except TimeoutError:
            first = None
        except DecodeError as error:
            first, problem = None, f"the first message cannot be read as a StreamRequest: {error}"
        received_ns = self._clock.unix_ns()
        if first is not None:
            problem = _hello_problem(first.request)
        if first is None or problem:
            self._counters.add(Count.STREAMS_REFUSED, label="hello")
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, problem)
        return first.request.hello, received_ns

    def _first_seen_ms(self, agent: str) -> int:
        known = self._client.query("agent_first_seen", {"agent": agent})["first_seen"]
        return known[0] if known and known[0] > 0 else self._clock.unix_ns() // 1_000_000


async def _outcome(reader: asyncio.Task[None]) -> str:
    """Wait for a reader; what the agent did wrong, if it did. A collector that stops cancels its readers."""
    await asyncio.wait([reader])
    if reader.cancelled():
        return ""
    error = reader.exception()
    if isinstance(error, UsageError):
        return str(error)
    if isinstance(error, DecodeError):
        return f"a message that cannot be read as a StreamRequest: {error}"
    if error is not None and not isinstance(error, StoreError):
        raise error
    return ""


def _hello_problem(first: pb.StreamRequest) -> str:
    hello = first.hello
    if first.WhichOneof("message") != "hello":
        return "the first message of a stream must be a Hello"
    if not 1 <= len(hello.agent_id) <= 256:
        return f"agent_id has {len(hello.agent_id)} characters, expected 1 to 256"
    if len(hello.abilities) > 64 or max(map(len, (hello.host, hello.agent_version, *hello.abilities))) > 256:
        return "more than 64 abilities, or a host, version or ability of more than 256 characters"
    return ""
