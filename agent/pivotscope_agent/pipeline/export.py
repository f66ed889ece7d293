"""Sending what is spooled: connects, moves records, comes back after every failure, never ends by itself."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

import grpc
from grpc import aio
from pivotscope.transport.files import CredentialsError
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1.agent_pb2_grpc import AgentServiceStub

from pivotscope_agent.clock import Clock, is_step, lead_ns
from pivotscope_agent.pipeline.backoff import Backoff
from pivotscope_agent.pipeline.channel import Endpoint, call_metadata, open_channel, plainly
from pivotscope_agent.pipeline.control import Command
from pivotscope_agent.pipeline.renewal import Renewal
from pivotscope_agent.pipeline.session import Delivery, Session, StreamClosedError, StreamError
from pivotscope_agent.pipeline.spool import Spool
from pivotscope_agent.telemetry.counters import Count, Counters

log = logging.getLogger(__name__)

_STATUS_S = 5.0
_REFUSED = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED})


class ExportState(StrEnum):
    """Where the exporter stands, for people and for the agent's health."""

    CONNECTING = "connecting"
    STREAMING = "streaming"
    UNREACHABLE = "unreachable"
    UNAUTHENTICATED = "unauthenticated"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ExportStatus:
    """State, what led to it, and since when. `clock_offset_ns` is collector minus agent, 0 before it is known.

    `acknowledged_unix_ns` is when the collector last acknowledged something, 0 before it did.
    """

    state: ExportState
    detail: str
    since_unix_ns: int
    clock_offset_ns: int = 0
    in_flight: int = 0
    acknowledged: int = 0
    acknowledged_unix_ns: int = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the agent is: what Hello says. `agent_id` is stable over restarts on one host."""

    agent_id: str
    agent_version: str
    host: str
    abilities: tuple[str, ...] = ()


class Exporter:
    """Keeps a stream to the collector and moves the spool's records over it."""

    def __init__(
        self,
        endpoint: Endpoint,
        identity: Identity,
        spool: Spool,
        *,
        counters: Counters,
        clock: Clock,
        random: Random,
        targets: Callable[[], int],
        on_command: Callable[[Command], None],
        refused_pause_s: float = 60.0,
    ) -> None:
        self._endpoint = endpoint
        self._identity = identity
        self._spool = spool
        self._counters = counters
        self._clock = clock
        self._targets = targets
        self._on_command = on_command
        self._backoff = Backoff(first_s=0.5, longest_s=15.0, random=random)
        self._rejected = Backoff(first_s=0.25, longest_s=15.0, random=random)
        self._refused = Backoff(first_s=refused_pause_s, longest_s=refused_pause_s * 5, random=random)
        self._delivery = Delivery()
        self._session: Session | None = None
        self._draining = asyncio.Event()
        self._changed = asyncio.Event()
        self._renewal = Renewal(endpoint, self._renew)
        self._task: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._offset_ns = 0
        self._measured_lead_ns: int | None = None
        self._acknowledged_ns = 0
        self._told: pb.AgentStatus | None = None
        self._said = ""
        self._status = ExportStatus(ExportState.CONNECTING, "", clock.unix_ns())

    @property
    def clock_offset_ns(self) -> int:
        """Collector's clock minus ours, as last measured and moved by every step of ours since; 0 when it never was."""
        return self.offset_at(lead_ns(self._clock))

    def offset_at(self, lead: int) -> int:
        """The offset of moments that were read while our clock was `lead` ns ahead of the monotonic one."""
        if self._measured_lead_ns is None:
            return 0
        step = lead - self._measured_lead_ns
        return self._offset_ns - step if is_step(step) else self._offset_ns

    @property
    def status(self) -> ExportStatus:
        """Where the exporter stands now."""
        known = self._status
        return ExportStatus(
            known.state,
            known.detail,
            known.since_unix_ns,
            self.clock_offset_ns,
            self._session.in_flight if self._session else 0,
            self._spool.acknowledged,
            self._acknowledged_ns,
        )

    @property
    def running(self) -> bool:
        """Whether it goes on by itself; it does until it is closed."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin; returns at once."""
        self._task = asyncio.create_task(self._run(), name="export")
        self._watching = asyncio.create_task(self._renewal.run(), name="renewal")

    def tell(self, status: pb.AgentStatus) -> None:
        """How the agent fares now: said on this stream, and first thing on the next."""
        self._told = status
        if self._session is not None:
            self._session.tell(status)

    def wake(self) -> None:
        """There are new records in the spool."""
        if self._session is not None:
            self._session.wake()

    async def close(self, timeout: float) -> int:  # noqa: ASYNC109 - the bound is on the whole drain, then it gives up
        """Send what is left, for `timeout` seconds at most, and end. Returns the records that stay in the spool."""
        self._draining.set()
        if self._watching is not None:
            self._watching.cancel()
        if self._session is not None:
            self._session.drain()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=timeout)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._set(ExportState.STOPPED, "closed")
        return self._spool.pending()

    async def _run(self) -> None:
        while True:
            last_try = self._draining.is_set()
            pause = await self._attempt()
            if (last_try and pause) or (self._draining.is_set() and not self._spool.pending()):
                return
            await self._rest(pause)

    async def _attempt(self) -> float:
        """One stream from beginning to end; returns the seconds to wait before the next."""
        self._set(ExportState.CONNECTING, "")
        try:
            await self._stream()
        except CredentialsError as error:
            return self._failed(ExportState.UNAUTHENTICATED, str(error), "credentials", self._refused)
        except aio.AioRpcError as error:
            state, backoff = self._judge(error.code())
            detail = await asyncio.to_thread(plainly, self._endpoint, error.details() or "")
            return self._failed(state, f"{error.code().name}: {detail}", error.code().name.lower(), backoff)
        except (StreamError, TimeoutError, asyncio.InvalidStateError, aio.UsageError, OSError) as error:
            detail = str(error) or "the collector did not answer in time"
            return self._failed(ExportState.UNREACHABLE, detail, "stream", self._backoff)
        except Exception:
            log.exception("the exporter met an error that it does not know; it goes on with a new stream")
            return self._failed(ExportState.UNREACHABLE, "internal error, see the log", "internal", self._backoff)
        return 0.0

    async def _stream(self) -> None:
        self._changed.clear()
        self._renewal.begin()
        metadata = call_metadata(self._endpoint)
        async with open_channel(self._endpoint) as channel:
            call = AgentServiceStub(channel).Stream(None, metadata=aio.Metadata(*metadata))
            session = Session(
                call,
                self._spool,
                self._delivery,
                counters=self._counters,
                clock=self._clock,
                backoff=self._rejected,
                on_command=self._on_command,
                on_progress=self._progressed,
            )
            try:
                await session.greet(self._hello())
                self._offset_ns = session.clock_offset_ns
                self._measured_lead_ns = lead_ns(self._clock)
                self._counters.add(Count.CONNECTIONS)
                self._set(ExportState.STREAMING, "")
                self._said = ""
                log.info("collector %s: streaming", self._endpoint.address, extra=self._fields())
                self._session = session
                if self._told is not None:
                    session.tell(self._told)
                if self._draining.is_set():
                    session.drain()
                await session.run()
            except (StreamClosedError, asyncio.InvalidStateError, aio.UsageError) as error:
                # Reads and writes of a call that is over say little; its status says why.
                raise await _status_of(call) from error
            finally:
                self._session = None
                call.cancel()

    def _hello(self) -> pb.Hello:
        return pb.Hello(
            agent_id=self._identity.agent_id,
            epoch=self._spool.epoch,
            agent_version=self._identity.agent_version,
            host=self._identity.host,
            abilities=self._identity.abilities,
            targets=self._targets(),
        )

    def _renew(self) -> None:
        self._changed.set()
        if self._session is not None:
            self._session.renew()

    def _progressed(self) -> None:
        self._acknowledged_ns = self._clock.unix_ns()
        self._backoff.reset()
        self._refused.reset()

    def _judge(self, code: grpc.StatusCode) -> tuple[ExportState, Backoff]:
        if code in _REFUSED:
            return ExportState.UNAUTHENTICATED, self._refused
        return ExportState.UNREACHABLE, self._backoff

    def _failed(self, state: ExportState, detail: str, reason: str, backoff: Backoff) -> float:
        pause = backoff.pause()
        self._counters.add(Count.CONNECTION_FAILURES, reason)
        self._set(state, detail)
        level = logging.DEBUG if detail == self._said else logging.WARNING
        self._said = detail
        text = "collector %s: %s (%s); next try in %.1f s"
        log.log(level, text, self._endpoint.address, state, detail, pause, extra=self._fields())
        return pause

    def _fields(self) -> dict[str, str]:
        return {"collector": self._endpoint.address, "state": self._status.state}

    def _set(self, state: ExportState, detail: str) -> None:
        self._status = ExportStatus(state, detail, self._clock.unix_ns())

    async def _rest(self, seconds: float) -> None:
        """Wait, but not when the agent is about to end, or new certificates or a new token have come."""
        waits = (self._clock.sleep(seconds), self._draining.wait(), self._changed.wait())
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


async def _status_of(call: aio.StreamStreamCall[pb.StreamRequest, pb.StreamResponse]) -> aio.AioRpcError:
    """The status with which a call ended, as the error that it stands for; OK means that the collector let go."""
    async with asyncio.timeout(_STATUS_S):
        code = await call.code()
        details = await call.details()
    if code is grpc.StatusCode.OK:
        code, details = grpc.StatusCode.UNAVAILABLE, "the collector ended the stream"
    return aio.AioRpcError(code, aio.Metadata(), aio.Metadata(), details=details, debug_error_string=None)
