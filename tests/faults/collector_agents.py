"""Agents as the collector sees them: batches with known sums, sent until acknowledged, and now and then again."""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1 import agent_pb2_grpc

FUNCTIONS, STACKS = 60, 200
MINUTES = 5
SECOND = 10**9
_KEPT = 60
_IN_FLIGHT = 32


@dataclass(slots=True)
class Sums:
    """What was sent, each batch once."""

    batches: int = 0
    windows: int = 0
    samples: int = 0
    totals: Counter[str] = field(default_factory=Counter)
    """Samples by qualified name of a function; recursion counts once."""


class Agent:
    """One agent over any number of streams. `address` is asked at each connection, so it may switch collectors."""

    def __init__(self, number: int, start_ns: int, address: Callable[[], str], seed: int) -> None:
        self._number = number
        self._start_ns = start_ns
        self._address = address
        self._chance = random.Random(f"{seed}/{number}")
        self._stacks = [self._chance.choices(range(1, FUNCTIONS + 1), k=8) for _ in range(STACKS)]
        self._waiting: deque[pb.Batch] = deque()
        self._done: deque[pb.Batch] = deque(maxlen=_KEPT)
        self._sequence = 0
        self.sums = Sums()
        self.streams = 0
        self.repeated = 0
        self.left_out = 0

    async def run(self, ending: asyncio.Event, pace_s: float) -> None:
        """Make and send batches until `ending` is set and all are acknowledged."""
        while not (ending.is_set() and not self._waiting):
            with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError, EOFError):
                await self._stream(ending, pace_s)
            await asyncio.sleep(self._chance.uniform(0.01, 0.2))

    async def _stream(self, ending: asyncio.Event, pace_s: float) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(self._address(), options=options) as channel:
            stub: Any = agent_pb2_grpc.AgentServiceStub(channel)
            call = stub.Stream()
            hello = pb.Hello(agent_id=f"agent-{self._number}", epoch=1, host="h", sent_unix_ns=time.time_ns())
            await call.write(pb.StreamRequest(hello=hello))
            if not isinstance(await call.read(), pb.StreamResponse):
                raise EOFError  # noqa: TRY004 - the stream has ended
            self.streams += 1
            await call.write(pb.StreamRequest(definitions=self.definitions()))
            reader = asyncio.create_task(self._read(call))
            try:
                # What is not acknowledged comes again, after some that is: groups never fall as they did before.
                again = self._chance.randint(0, len(self._done))
                self.repeated += again + len(self._waiting)
                for batch in [*list(self._done)[len(self._done) - again :], *self._waiting]:
                    await call.write(pb.StreamRequest(batch=batch))
                while not (reader.done() or (ending.is_set() and not self._waiting)):
                    if not ending.is_set() and len(self._waiting) < _IN_FLIGHT:
                        self._waiting.append(self.make())
                        await call.write(pb.StreamRequest(batch=self._waiting[-1]))
                    await asyncio.sleep(self._chance.uniform(0.0, 2.0 * pace_s))
            finally:
                reader.cancel()
                await asyncio.wait([reader])
                call.cancel()

    async def _read(self, call: Any) -> None:
        while isinstance(response := await call.read(), pb.StreamResponse):
            if response.HasField("rejection"):
                if response.rejection.parts:
                    self.left_out += len(response.rejection.parts)
                    continue
                if not response.rejection.retryable:
                    raise AssertionError(response)
                return  # a new stream sends it again
            while self._waiting and self._waiting[0].sequence <= response.ack.sequence:
                self._done.append(self._waiting.popleft())

    def definitions(self) -> pb.Definitions:
        """What its batches refer to."""
        made = pb.Definitions()
        made.processes.add(
            id=1, service=f"service-{self._number % 3}", pid=self._number + 1, language=pb.LANGUAGE_PYTHON
        )
        for number in range(1, FUNCTIONS + 1):
            made.functions.add(
                id=number, qualified_name=f"f{number}", language=pb.LANGUAGE_PYTHON, owner=pb.OWNER_APPLICATION
            )
        for number, functions in enumerate(self._stacks, start=1):
            made.stacks.add(id=number, functions=functions)
        return made

    def make(self) -> pb.Batch:
        """The next batch, counted as sent."""
        self._sequence += 1
        batch = pb.Batch(sequence=self._sequence)
        for _ in range(self._chance.randint(1, 3)):
            stacks = [self._chance.randint(1, STACKS) for _ in range(self._chance.randint(1, 30))]
            counts = [self._chance.randint(1, 9) for _ in stacks]
            batch.windows.add(
                process=1,
                mode=pb.MODE_GIL,
                outcome=pb.OUTCOME_COMPLETE,
                started_unix_ns=self._start_ns + self._chance.randrange(MINUTES * 60 * SECOND),
                duration_ns=10 * SECOND,
                ticks=200,
                stacks=stacks,
                lines=[self._chance.randint(0, 50) for _ in stacks],
                counts=counts,
                native_counts=[0 for _ in stacks],
            )
            self.sums.windows += 1
            self.sums.samples += sum(counts)
            for stack, count in zip(stacks, counts, strict=True):
                self.sums.totals.update(dict.fromkeys({f"f{one}" for one in self._stacks[stack - 1]}, count))
        self.sums.batches += 1
        return batch
