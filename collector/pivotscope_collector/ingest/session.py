"""One agent's stream: Hello, then definitions and batches up, acknowledgements and refusals down."""

import asyncio
import logging
from base64 import b64encode
from collections import Counter, deque
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.clock import Clock
from pivotscope_collector.counters import Count, Counters, Latency
from pivotscope_collector.errors import StoreError, UsageError
from pivotscope_collector.ingest.acknowledgements import Acknowledgements
from pivotscope_collector.ingest.cardinality import Cardinality, Names
from pivotscope_collector.ingest.committer import Committer, Outcome
from pivotscope_collector.ingest.counts import too_many
from pivotscope_collector.ingest.decode import Origin, Received
from pivotscope_collector.ingest.dictionary import Dictionary, Vouch
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Part, Partial, Refusal, code, too_large, unavailable
from pivotscope_collector.security.grant import ANYONE, Grant
from pivotscope_collector.store.rows import U32, Row, Rows

_LOG = logging.getLogger(__name__)
_MS = 1_000_000
_REPORT_SECONDS = 10.0
"""How often a stream tells of its agent. All do at the same time, so their rows are one insert and not one a group."""
_STATUS_SECONDS = 1.0
_WARNING_SECONDS = 10.0
_MOST_TARGETS = 2**32 - 1


class Incoming(NamedTuple):
    """A message, and its bytes on the wire."""

    request: pb.StreamRequest
    octets: int

    @classmethod
    def parse(cls, data: bytes) -> "Incoming":
        """As it comes from the wire. Raises DecodeError."""
        return cls(pb.StreamRequest.FromString(data), len(data))


class _Mark(NamedTuple):
    """A batch that is under way, and when it came."""

    sequence: int
    began: float


class Session:
    """State of one stream. `read` takes messages until they end; `answers` gives what to send until all is settled.

    A batch is acknowledged after its insert, never before. As many batches as `limits.in_flight` are under way, or
    refused and not told, at once; then reading pauses, and the transport holds the agent back.
    """

    def __init__(
        self,
        hello: pb.Hello,
        first_seen_ms: int,
        committer: Committer,
        *,
        clock: Clock,
        counters: Counters,
        limits: Limits,
        grant: Grant = ANYONE,
        cardinality: Cardinality | None = None,
        vouch: Vouch | None = None,
    ) -> None:
        self._hello = hello
        self._origin = Origin(hello.agent_id, hello.epoch)
        self._first_seen_ms = first_seen_ms
        self._offset_ns = max(-limits.amount, min(clock.unix_ns() - hello.sent_unix_ns, limits.amount))
        self._committer = committer
        self._clock = clock
        self._counters = counters
        self._limits = limits
        self._dictionary = Dictionary(limits, grant, Names(cardinality, grant.name) if cardinality else None, vouch)
        self._defined: list[U32] = []
        self._acknowledgements = Acknowledgements()
        self._outgoing: deque[pb.StreamResponse] = deque()
        self._dropped: Counter[str] = Counter()
        self._highest = 0
        self._targets = hello.targets
        self._beat = -1
        self._status_at = float("-inf")
        self._warned = float("-inf")
        self._under_way = 0
        self._settled = asyncio.Event()
        self._ended = False
        self._changed = asyncio.Event()

    async def read(self, requests: AsyncIterable[Incoming]) -> None:
        """Take messages until the agent ends its side. Raises UsageError on a second Hello."""
        try:
            self._report()
            async for request, octets in requests:
                match request.WhichOneof("message"):
                    case "definitions":
                        stacks = self._dictionary.define(request.definitions)
                        if len(stacks):
                            self._defined.append(stacks)
                    case "batch":
                        self._batch(request.batch, octets)
                    case "status":
                        self._status(request.status, octets)
                    case "hello":
                        raise UsageError("a second Hello on the same stream; open a new stream instead")
                    case _:
                        _LOG.debug("%s: a message of a newer version was passed over", self._origin.agent)
                # Before the next is read, not after: else each stream would hold a message while it waits.
                if self._committer.full or self._held_up:
                    await self._room()
        finally:
            self._ended = True
            self._changed.set()

    async def answers(self) -> AsyncIterator[pb.StreamResponse]:
        """What to send, until the agent has ended its side and everything it sent is settled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._outgoing:
                yield self._outgoing.popleft()
            sequence = self._acknowledgements.take()
            if sequence:
                yield pb.StreamResponse(ack=pb.Ack(sequence=sequence))
            self._settled.set()
            # While an answer is sent others may become due.
            if self._ended and not self._under_way and not self._changed.is_set():
                return

    def send(self, message: pb.StreamResponse) -> None:
        """Send this with the next answers."""
        self._outgoing.append(message)
        self._changed.set()

    @property
    def _held_up(self) -> bool:
        """Whether as much is under way, or has to be told, as may be."""
        limits = self._limits
        return (
            self._under_way + len(self._outgoing) >= limits.in_flight
            or len(self._acknowledgements) >= limits.unacknowledged
        )

    async def _room(self) -> None:
        while self._held_up:
            self._settled.clear()
            await self._settled.wait()
        await self._committer.room()

    def _batch(self, batch: pb.Batch, octets: int) -> None:
        began = self._clock.monotonic()
        sequence, offset_ns = batch.sequence, batch.clock_offset_ns
        self._acknowledgements.received(sequence)
        self._under_way += 1
        problem = too_many(batch, self._limits)
        if octets > self._limits.message_bytes:
            problem = too_large(f"{octets} bytes, at most {self._limits.message_bytes}")
        if problem:
            self._refuse(sequence, problem)
            return
        dropped = batch.dropped
        if sequence > self._highest and abs(offset_ns) <= self._limits.amount:
            self._highest = sequence
            self._offset_ns = offset_ns
            if dropped:
                self._drop(dropped)
        # What was dropped is told once: it must not wait for a report that a short stream never makes.
        agents = (self._row(),) if self._due(began) or dropped else ()
        defined, self._defined = self._defined, []
        received = Received(batch, self._dictionary, self._origin, self._clock.unix_ns(), agents, defined)
        try:
            self._committer.submit(received, self._stored, _Mark(sequence, began), octets)
        except StoreError as error:
            self._refuse(sequence, unavailable(str(error)))

    def _drop(self, dropped: Mapping[str, int]) -> None:
        """Add up what the agent says it dropped; numbers and reasons beyond the limits are cut to them."""
        for reason, count in dropped.items():
            if reason in self._dropped or len(self._dropped) < self._limits.labels:
                self._dropped[reason[:256]] = min(self._dropped[reason[:256]] + count, self._limits.amount)

    def _status(self, status: pb.AgentStatus, octets: int) -> None:
        """Store how the agent fares; one that is too large or comes too soon after another is passed over."""
        now = self._clock.monotonic()
        problem = "too_soon" if now - self._status_at < _STATUS_SECONDS else ""
        if octets > self._limits.status_bytes:
            problem = "too_large"
        if problem:
            self._counters.add(Count.STATUSES_REFUSED, label=problem)
            return
        self._status_at = now
        states = dict(status.target_states)
        self._targets = min(sum(states.values()), _MOST_TARGETS)
        text = b64encode(status.SerializeToString()).decode("ascii")
        row: Row = (self._hello.agent_id, self._clock.unix_ns() // _MS, states, text)
        agents = [self._row()] if self._due(now) else []
        self._committer.submit(Rows(agents=agents, statuses=[row]), _whatever, octets=octets)

    def _stored(self, settled: Sequence[tuple[_Mark, Outcome]]) -> None:
        """Batches are settled: what of them is stored is acknowledged, what is not is refused."""
        now = self._clock.monotonic()
        waited = []
        for (sequence, began), outcome in settled:
            if isinstance(outcome, StoreError | Refusal):
                self._refuse(sequence, unavailable(str(outcome)) if isinstance(outcome, StoreError) else outcome)
                continue
            self._settle(sequence)
            waited.append(now - began)
            if isinstance(outcome, Partial):
                for part in outcome.parts:
                    self._counters.add(Count.PARTS_REFUSED, label=code(part.refusal))
                self._tell(sequence, outcome.parts[0].refusal, outcome.parts)
        self._counters.add(Count.BATCHES_STORED, len(waited))
        self._counters.took(Latency.ACKNOWLEDGEMENT, *waited)

    def _refuse(self, sequence: int, refusal: Refusal) -> None:
        self._settle(sequence, retry=refusal.retryable)
        self._counters.add(Count.BATCHES_REFUSED, label=code(refusal))
        self._tell(sequence, refusal)

    def _settle(self, sequence: int, *, retry: bool = False) -> None:
        self._under_way -= 1
        self._acknowledgements.settled(sequence, retry=retry)
        self._settled.set()
        self._changed.set()

    def _tell(self, sequence: int, refusal: Refusal, parts: Sequence[Part] = ()) -> None:
        """Say what was refused; ahead of the acknowledgement, so that the agent still has it."""
        what = f"{len(parts)} parts of batch" if parts else "batch"
        # Counters tell of all of them: an agent that is wrong in each batch must not fill the log.
        now = self._clock.monotonic()
        level = logging.WARNING if now - self._warned >= _WARNING_SECONDS else logging.DEBUG
        self._warned = now if level == logging.WARNING else self._warned
        _LOG.log(level, "%s: %s %d refused, %s: %s", self._origin.agent, what, sequence, code(refusal), refusal.detail)
        rejection = pb.Rejection(
            sequence=sequence,
            reason=refusal.reason,
            retryable=refusal.retryable,
            detail=refusal.detail,
            parts=[
                pb.RefusedPart(
                    kind=part.kind, position=part.position, reason=part.refusal.reason, measured=part.measured
                )
                for part in parts
            ],
        )
        self._outgoing.append(pb.StreamResponse(rejection=rejection))

    def _report(self) -> None:
        """Store that the agent is here; a store that does not take it now gets it with a later batch."""
        if self._due(self._clock.monotonic()):
            self._committer.submit(Rows(agents=[self._row()]), _whatever)

    def _due(self, now: float) -> bool:
        beat = int(now // _REPORT_SECONDS)
        if beat == self._beat:
            return False
        self._beat = beat
        return True

    def _row(self) -> Row:
        return (
            self._hello.agent_id,
            self._hello.epoch,
            self._hello.host,
            self._hello.agent_version,
            list(self._hello.abilities),
            self._targets,
            self._offset_ns,
            self._first_seen_ms,
            self._clock.unix_ns() // _MS,
            dict(self._dropped),
        )


def _whatever(_settled: Sequence[tuple[object, Outcome]]) -> None:
    """Of what comes again: a store that does not take it now gets it the next time."""
