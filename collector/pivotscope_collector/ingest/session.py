"""One agent's stream: Hello, then definitions and batches up, acknowledgements and refusals down."""

import asyncio
import logging
from base64 import b64encode
from collections import Counter, deque
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from functools import partial

from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.clock import Clock
from pivotscope_collector.counters import Count, Counters, Latency
from pivotscope_collector.errors import StoreError, UsageError
from pivotscope_collector.ingest.acknowledgements import Acknowledgements
from pivotscope_collector.ingest.cardinality import Cardinality, Names
from pivotscope_collector.ingest.committer import Committer, Outcome
from pivotscope_collector.ingest.decode import Origin, Received
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Part, Partial, Refusal, Verdict, code, too_large, unavailable
from pivotscope_collector.security.grant import ANYONE, Grant
from pivotscope_collector.store.rows import Row, Rows

_LOG = logging.getLogger(__name__)
_MS = 1_000_000
_REPORT_SECONDS = 10.0
"""How often a stream tells of its agent. All do at the same time, so their rows are one insert and not one a group."""
_STATUS_SECONDS = 1.0
_WARNING_SECONDS = 10.0


class Session:
    """State of one stream. `read` takes messages until they end; `answers` gives what to send until all is settled.

    A batch is acknowledged after its insert, never before. As many batches as `limits.in_flight` are under way at once;
    then reading pauses, and the transport holds the agent back.
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
    ) -> None:
        self._hello = hello
        self._origin = Origin(hello.agent_id, hello.epoch)
        self._first_seen_ms = first_seen_ms
        self._offset_ns = max(-limits.amount, min(clock.unix_ns() - hello.sent_unix_ns, limits.amount))
        self._committer = committer
        self._clock = clock
        self._counters = counters
        self._limits = limits
        self._dictionary = Dictionary(limits, grant, Names(cardinality, grant.name) if cardinality else None)
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

    async def read(self, requests: AsyncIterable[pb.StreamRequest]) -> None:
        """Take messages until the agent ends its side. Raises UsageError on a second Hello."""
        try:
            await self._report()
            async for request in requests:
                match request.WhichOneof("message"):
                    case "definitions":
                        self._dictionary.define(request.definitions)
                    case "batch":
                        await self._batch(request.batch)
                    case "status":
                        await self._status(request.status)
                    case "hello":
                        raise UsageError("a second Hello on the same stream; open a new stream instead")
                    case _:
                        _LOG.debug("%s: a message of a newer version was passed over", self._origin.agent)
                # Before the next is read, not after: else each stream would hold a message while it waits.
                if self._committer.full:
                    await self._committer.room()
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
            if self._ended and not self._under_way and not self._outgoing:
                return

    def send(self, message: pb.StreamResponse) -> None:
        """Send this with the next answers."""
        self._outgoing.append(message)
        self._changed.set()

    async def _batch(self, batch: pb.Batch) -> None:
        while self._under_way >= self._limits.in_flight:
            self._settled.clear()
            await self._settled.wait()
        began = self._clock.monotonic()
        self._acknowledgements.received(batch.sequence)
        self._under_way += 1
        size = batch.ByteSize()
        if size > self._limits.message_bytes:
            self._settle(batch.sequence, too_large(f"{size} bytes, at most {self._limits.message_bytes}"))
            return
        dropped = batch.dropped
        if batch.sequence > self._highest and abs(batch.clock_offset_ns) <= self._limits.amount:
            self._highest = batch.sequence
            self._offset_ns = batch.clock_offset_ns
            if dropped:
                self._drop(dropped)
        # What was dropped is told once: it must not wait for a report that a short stream never makes.
        agents = (self._row(),) if self._due() or dropped else ()
        received = Received(batch, self._dictionary, self._origin, self._clock.unix_ns(), agents)
        try:
            await self._committer.submit(received, partial(self._stored, batch.sequence, began), size)
        except StoreError as error:
            self._settle(batch.sequence, unavailable(str(error)))
            return
        except asyncio.CancelledError:
            # Never handed over: it stays open, so nothing from it on is acknowledged.
            self._under_way -= 1
            raise

    def _drop(self, dropped: Mapping[str, int]) -> None:
        """Add up what the agent says it dropped; numbers and reasons beyond the limits are cut to them."""
        for reason, count in dropped.items():
            if reason in self._dropped or len(self._dropped) < self._limits.labels:
                self._dropped[reason[:256]] = min(self._dropped[reason[:256]] + count, self._limits.amount)

    async def _status(self, status: pb.AgentStatus) -> None:
        """Store how the agent fares; one that is too large or comes too soon after another is passed over."""
        now = self._clock.monotonic()
        problem = "too_soon" if now - self._status_at < _STATUS_SECONDS else ""
        size = status.ByteSize()
        if size > self._limits.status_bytes:
            problem = "too_large"
        if problem:
            self._counters.add(Count.STATUSES_REFUSED, label=problem)
            return
        self._status_at = now
        states = dict(status.target_states)
        self._targets = sum(states.values())
        text = b64encode(status.SerializeToString()).decode("ascii")
        row: Row = (self._hello.agent_id, self._clock.unix_ns() // _MS, states, text)
        agents = [self._row()] if self._due() else []
        await self._committer.submit(Rows(agents=agents, statuses=[row]), _whatever, size)

    def _stored(self, sequence: int, began: float, outcome: Outcome) -> None:
        verdict = unavailable(str(outcome)) if isinstance(outcome, StoreError) else outcome
        if not isinstance(verdict, Refusal):
            self._counters.took(Latency.ACKNOWLEDGEMENT, self._clock.monotonic() - began)
        self._settle(sequence, verdict)

    def _settle(self, sequence: int, verdict: Verdict) -> None:
        self._under_way -= 1
        self._settled.set()
        self._acknowledgements.settled(sequence, retry=isinstance(verdict, Refusal) and verdict.retryable)
        if isinstance(verdict, Refusal):
            self._counters.add(Count.BATCHES_REFUSED, label=code(verdict))
            self._tell(sequence, verdict)
        else:
            self._counters.add(Count.BATCHES_STORED)
        if isinstance(verdict, Partial):
            for part in verdict.parts:
                self._counters.add(Count.PARTS_REFUSED, label=code(part.refusal))
            self._tell(sequence, verdict.parts[0].refusal, verdict.parts)
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

    async def _report(self) -> None:
        """Store that the agent is here; a store that does not take it now gets it with a later batch."""
        if self._due():
            await self._committer.submit(Rows(agents=[self._row()]), _whatever)

    def _due(self) -> bool:
        beat = int(self._clock.monotonic() // _REPORT_SECONDS)
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


def _whatever(_outcome: Outcome) -> None:
    """Of what comes again: a store that does not take it now gets it the next time."""
