"""One stream to the collector: from Hello to the end, whatever ends it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from grpc import aio
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_agent.clock import Clock
from pivotscope_agent.pipeline.backoff import Backoff
from pivotscope_agent.pipeline.control import Command, decode_control
from pivotscope_agent.pipeline.encode import cut
from pivotscope_agent.pipeline.enums import reason_name
from pivotscope_agent.pipeline.in_flight import InFlight
from pivotscope_agent.pipeline.record import Record
from pivotscope_agent.pipeline.refused import left_out
from pivotscope_agent.pipeline.remap import StreamDictionary, UnreadableRecordError
from pivotscope_agent.pipeline.spool import Spool
from pivotscope_agent.telemetry.counters import Count, Counters

log = logging.getLogger(__name__)

Call = aio.StreamStreamCall[pb.StreamRequest, pb.StreamResponse]

MAX_IN_FLIGHT = 256
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
# Definitions that a stream remembers before a fresh one is begun: about 15 MB in the worst case.
MAX_DEFINITIONS = 50_000
# Tries of one record that the collector wants again for another reason than being overloaded.
MAX_TRIES = 8
_HANDSHAKE_S = 10.0
_SILENCE_NS = 90_000_000_000
_PATIENT = frozenset({pb.REJECTION_REASON_STORE_UNAVAILABLE, pb.REJECTION_REASON_OVERLOADED})


class StreamError(Exception):
    """The stream cannot go on; a new one may."""


class StreamClosedError(Exception):
    """The collector ended the stream. Its status is that of the call."""


@dataclass(slots=True)
class Delivery:
    """What outlives a stream: how often records were wanted again, which are given up, and which are stored in part."""

    tries: Counter[int] = field(default_factory=Counter)
    lost: dict[int, str] = field(default_factory=dict)
    incomplete: set[int] = field(default_factory=set)

    def is_first(self, sequence: int) -> bool:
        """Whether this is the first that is heard of parts of a record that were left out."""
        first = sequence not in self.incomplete
        self.incomplete.add(sequence)
        return first

    def forget(self, acknowledged: int) -> None:
        """Drop what is known about records that are done with."""
        self.incomplete = {number for number in self.incomplete if number > acknowledged}
        for known in (self.tries, self.lost):
            for sequence in [number for number in known if number <= acknowledged]:
                del known[sequence]


class Session:
    """Sends records of a spool over a call and takes acknowledgements, rejections and commands from it."""

    def __init__(
        self,
        call: Call,
        spool: Spool,
        delivery: Delivery,
        *,
        counters: Counters,
        clock: Clock,
        backoff: Backoff,
        on_command: Callable[[Command], None],
        on_progress: Callable[[], None],
    ) -> None:
        self.clock_offset_ns = 0
        self._call = call
        self._spool = spool
        self._delivery = delivery
        self._counters = counters
        self._clock = clock
        self._backoff = backoff
        self._on_command = on_command
        self._on_progress = on_progress
        self._dictionary = StreamDictionary()
        self._in_flight = InFlight(spool.acknowledged)
        self._wake = asyncio.Event()
        self._draining = False
        self._renewing = False
        self._finished = False
        self._untold: pb.AgentStatus | None = None
        self._pause_s = 0.0
        self._repeat_until = 0
        self._max_in_flight = 1
        self._max_bytes = MAX_MESSAGE_BYTES
        self._heard_ns = clock.monotonic_ns()

    @property
    def in_flight(self) -> int:
        """Records on their way."""
        return len(self._in_flight)

    def wake(self) -> None:
        """There may be new records."""
        self._wake.set()

    def tell(self, status: pb.AgentStatus) -> None:
        """Send how the agent fares when the stream is free; only the newest is sent."""
        self._untold = status
        self._wake.set()

    def drain(self) -> None:
        """End the stream once everything in the spool is acknowledged."""
        self._draining = True
        self._wake.set()

    def renew(self) -> None:
        """Send nothing more, and end the stream once all that was sent is acknowledged."""
        self._renewing = True
        self._wake.set()

    async def greet(self, hello: pb.Hello) -> None:
        """Exchange Hello and Welcome and measure the clock offset. Raises StreamError and aio.AioRpcError."""
        async with asyncio.timeout(_HANDSHAKE_S):
            # The stamp must not contain the time that connecting takes.
            await self._call.wait_for_connection()
            hello.sent_unix_ns = sent = self._clock.unix_ns()
            began = self._clock.monotonic_ns()
            await self._call.write(pb.StreamRequest(hello=hello))
            response = await self._read()
        received = sent + self._clock.monotonic_ns() - began
        if response.WhichOneof("message") != "welcome":
            raise StreamError(f"expected a Welcome first, got {response.WhichOneof('message')}")
        welcome = response.welcome
        self.clock_offset_ns = clock_offset(sent, welcome.received_unix_ns, welcome.sent_unix_ns, received)
        self._max_in_flight = max(1, min(welcome.max_in_flight, MAX_IN_FLIGHT))
        self._max_bytes = min(welcome.max_message_bytes or MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES)

    async def run(self) -> None:
        """Move records until drained or the dictionary is full (returns), or the stream breaks (raises)."""
        tasks = [asyncio.create_task(part) for part in (self._send(), self._receive(), self._watch())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except StreamClosedError:
            # Once we have ended our side, the collector ends its own.
            if not self._finished:
                raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self) -> None:
        while True:
            self._wake.clear()
            if self._untold is not None:
                status, self._untold = self._untold, None
                await self._call.write(pb.StreamRequest(status=status))
            if self._pause_s:
                pause, self._pause_s = self._pause_s, 0.0
                await self._clock.sleep(pause)
                continue
            full = self._renewing or len(self._dictionary) >= MAX_DEFINITIONS
            free = 0 if full else self._max_in_flight - len(self._in_flight)
            records = await asyncio.to_thread(self._spool.read, self._in_flight.cursor, free) if free > 0 else []
            if records:
                await self._send_all(records)
            elif self._all_settled() and (full or self._draining) and not self._pause_s:
                self._finished = True
                await self._call.done_writing()
                return
            else:
                await self._wake.wait()

    def _all_settled(self) -> bool:
        """Whether nothing is on its way, and the spool knows: what it does not know, the next stream sends again."""
        return not len(self._in_flight) and self._spool.acknowledged >= self._in_flight.acknowledged

    async def _send_all(self, records: list[Record]) -> None:
        for record in records:
            if self._pause_s:
                return
            if self._in_flight.is_settled(record.sequence):
                self._in_flight.sent(record.sequence)
            else:
                await self._send_one(record)

    async def _send_one(self, record: Record) -> None:
        sequence = record.sequence
        self._in_flight.sent(sequence)
        if sequence in self._delivery.lost:
            self._give_up(sequence, self._delivery.lost[sequence])
            return
        try:
            definitions, batch = pb.Definitions.FromString(record.definitions), pb.Batch.FromString(record.batch)
            repeat = sequence <= self._repeat_until
            fresh = self._dictionary.translate(definitions, batch, repeat=repeat)
        except (UnreadableRecordError, DecodeError) as error:
            # The dictionary may now hold ids that were not sent: only a new stream is safe.
            self._delivery.lost[sequence] = "unreadable"
            raise StreamError(f"record {sequence} of the spool cannot be read: {error}") from error
        for part in cut(fresh, self._max_bytes - 16):
            if part.ByteSize():
                await self._call.write(pb.StreamRequest(definitions=part))
        request = pb.StreamRequest(batch=batch)
        if request.ByteSize() > self._max_bytes:
            self._give_up(sequence, "too_large")
            return
        if len(self._in_flight) == 1:
            self._heard_ns = self._clock.monotonic_ns()
        await self._call.write(request)
        self._counters.add(Count.RECORDS_SENT)

    async def _receive(self) -> None:
        while True:
            response = await self._read()
            self._heard_ns = self._clock.monotonic_ns()
            match response.WhichOneof("message"):
                case "ack":
                    await self._acknowledged(response.ack.sequence)
                case "rejection":
                    await self._rejected(response.rejection)
                case "control":
                    command = decode_control(response.control)
                    if command is not None:
                        self._on_command(command)
                case _:
                    log.debug("a message that this version does not know is ignored")

    async def _acknowledged(self, sequence: int) -> None:
        self._counters.add(Count.RECORDS_ACKNOWLEDGED, amount=self._in_flight.acknowledge(sequence))
        self._backoff.reset()
        self._on_progress()
        await self._advance()

    async def _rejected(self, rejection: pb.Rejection) -> None:
        sequence = rejection.sequence
        reason = reason_name(rejection.reason)
        if rejection.parts:
            log.warning("%d parts of record %d are refused: %s", len(rejection.parts), sequence, rejection.detail)
            if sequence in self._in_flight and self._delivery.is_first(sequence):
                await asyncio.to_thread(left_out, rejection, self._spool, self._counters)
            return
        self._counters.add(Count.RECORDS_REJECTED, reason)
        if not rejection.retryable:
            log.warning("record %d is refused for good (%s): %s", sequence, reason, rejection.detail)
            self._give_up(sequence, f"rejected_{reason}")
        elif self._in_flight.rewind(sequence):
            self._check_patience(rejection, reason)
            self._repeat_until = max(self._repeat_until, self._spool.last)
            self._pause_s = self._backoff.pause()
            log.info("record %d is wanted again (%s): %s", sequence, reason, rejection.detail)
        await self._advance()

    def _check_patience(self, rejection: pb.Rejection, reason: str) -> None:
        """Give up a record that many repetitions did not help, on a new stream that never knew it."""
        if rejection.reason in _PATIENT:
            return
        self._delivery.tries[rejection.sequence] += 1
        if self._delivery.tries[rejection.sequence] >= MAX_TRIES:
            self._delivery.lost[rejection.sequence] = f"rejected_{reason}"
            raise StreamError(f"record {rejection.sequence} was refused {MAX_TRIES} times: {rejection.detail}")

    def _give_up(self, sequence: int, reason: str) -> None:
        if self._in_flight.settle(sequence):
            self._counters.add(Count.RECORDS_DROPPED, reason)
            self._spool.note_dropped(reason)
            self._wake.set()

    async def _advance(self) -> None:
        await asyncio.to_thread(self._spool.acknowledge, self._in_flight.acknowledged)
        self._delivery.forget(self._in_flight.acknowledged)
        self._wake.set()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(5)
            if len(self._in_flight) and self._clock.monotonic_ns() - self._heard_ns > _SILENCE_NS:
                raise StreamError(f"no acknowledgement for {_SILENCE_NS // 10**9} s")

    async def _read(self) -> pb.StreamResponse:
        response = await self._call.read()
        if not isinstance(response, pb.StreamResponse):  # grpc.aio.EOF
            raise StreamClosedError
        return response


def clock_offset(sent: int, received: int, answered: int, arrived: int) -> int:
    """Collector's clock minus ours in nanoseconds, by NTP's formula: half the sum of the two one-way differences.

    `sent` and `arrived` are by our clock, `received` and `answered` by the collector's. It is wrong by at most
    half of the round trip (RFC 5905, section 8).
    """
    return ((received - sent) + (answered - arrived)) // 2
