"""The pipeline as the agent's runtime sees it: offer observations, and they reach the collector."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from random import Random

from pivotscope.v1 import agent_pb2 as pb

from pivotscope_agent.clock import Clock
from pivotscope_agent.pipeline.assembler import Assembler
from pivotscope_agent.pipeline.channel import Endpoint
from pivotscope_agent.pipeline.control import Command
from pivotscope_agent.pipeline.encode import Item, encode
from pivotscope_agent.pipeline.export import Exporter, ExportStatus, Identity
from pivotscope_agent.pipeline.spool import Spool
from pivotscope_agent.telemetry.counters import Count, Counters

log = logging.getLogger(__name__)

MAX_BATCH_BYTES = 1024 * 1024


class Pipeline:
    """assemble → encode → spool → export. Disk and encoding run in threads, so that offering never waits."""

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
    ) -> None:
        endpoint.check()
        self._spool = spool
        self._counters = counters
        self._clock = clock
        self._assembler = Assembler()
        self._arrived = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._exporter = Exporter(
            endpoint,
            identity,
            spool,
            counters=counters,
            clock=clock,
            random=random,
            targets=targets,
            on_command=on_command,
        )

    @property
    def status(self) -> ExportStatus:
        """Where the connection to the collector stands."""
        return self._exporter.status

    @property
    def running(self) -> bool:
        """Whether what is offered is spooled and sent."""
        return self._exporter.running and self._task is not None and not self._task.done()

    def tell(self, status: pb.AgentStatus) -> None:
        """How the agent fares now; it goes past the spool, and only the newest counts."""
        self._exporter.tell(status)

    def start(self) -> None:
        """Begin; returns at once."""
        self._exporter.start()
        self._task = asyncio.create_task(self._run(), name="assemble")

    def offer(self, items: Iterable[Item]) -> None:
        """Take windows, points and facts; call from the loop's thread. Never blocks, never raises."""
        given_up = self._assembler.add(items, self._clock.monotonic_ns())
        if given_up:
            self._counters.add(Count.ITEMS_DROPPED, "backlog", given_up)
        self._arrived.set()

    async def close(self, timeout: float) -> int:  # noqa: ASYNC109 - the bound is on the whole drain, then it gives up
        """Spool what was offered, send for `timeout` seconds at most, and end.

        Returns the records that stay unsent; on disk they wait for the next run.
        """
        self._closing = True
        self._arrived.set()
        if self._task is not None:
            # A disk that hangs must not keep the agent from ending.
            await asyncio.wait([self._task], timeout=timeout)
            self._task.cancel()
        left = await self._exporter.close(timeout)
        await asyncio.to_thread(self._spool.close)
        return left

    async def _run(self) -> None:
        while True:
            remaining = self._assembler.remaining_ns(self._clock.monotonic_ns())
            if remaining == 0 or (remaining is not None and self._closing):
                await self._store(self._assembler.take())
            elif self._closing:
                return
            else:
                self._arrived.clear()
                await self._wait(remaining)

    async def _wait(self, nanoseconds: int | None) -> None:
        try:
            async with asyncio.timeout(None if nanoseconds is None else nanoseconds / 1e9):
                await self._arrived.wait()
        except TimeoutError:
            return

    async def _store(self, items: list[Item]) -> None:
        offset = self._exporter.clock_offset_ns
        try:
            await asyncio.to_thread(self._encode_and_spool, items, offset)
        except Exception:
            log.exception("%d observations could not be spooled", len(items))
            self._counters.add(Count.ITEMS_DROPPED, "internal", len(items))
        self._exporter.wake()

    def _encode_and_spool(self, items: list[Item], offset_ns: int) -> None:
        encoding = encode(items, clock_offset_ns=offset_ns, max_batch_bytes=MAX_BATCH_BYTES)
        for message in encoding.refused:
            self._counters.add(Count.ITEMS_DROPPED, "unencodable")
            self._spool.note_dropped("unencodable")
            log.warning("left out: %s", message)
        for record in encoding.records:
            self._spool.append(record.definitions, record.batch)
