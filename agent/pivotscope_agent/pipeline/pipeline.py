"""The pipeline as the agent's runtime sees it: offer observations, and they reach the collector."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from random import Random

from pivotscope.v1 import agent_pb2 as pb

from pivotscope_agent.clock import Clock, is_step, lead_ns
from pivotscope_agent.pipeline.assembler import Assembler
from pivotscope_agent.pipeline.channel import Endpoint
from pivotscope_agent.pipeline.control import Command
from pivotscope_agent.pipeline.drops import BACKLOG, INTERNAL, UNENCODABLE
from pivotscope_agent.pipeline.encode import Item, encode
from pivotscope_agent.pipeline.export import Exporter, ExportStatus, Identity
from pivotscope_agent.pipeline.spool import Spool
from pivotscope_agent.targets.target import Target
from pivotscope_agent.telemetry.counters import Count, Counters

log = logging.getLogger(__name__)

MAX_BATCH_BYTES = 1024 * 1024
SAVE_EVERY_NS = 1_000_000_000
"""Pause between two savings of accounts: where many processes begin, one saves all of them."""
DISK_S = 2.0
"""How long a disk that hangs may keep the agent from ending, before it sends and after."""


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
        self._lead_ns = 0
        self._earlier: list[tuple[list[Item], int]] = []
        self._unsaved = False
        self._save_at = 0
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

    def begin(self, target: Target, cpu_ns: int) -> int:
        """The CPU time from which the windows of a process account for it: where the last agent's records end.

        It has used `cpu_ns` by now; that of a process that no agent saw before counts from here.
        """
        start = self._spool.ledger.begin(target.process, target.start_ticks, cpu_ns)
        self._unsaved = True
        self._arrived.set()
        return start

    def leave(self, target: Target, cpu_ns: int) -> None:
        """The windows of a process account for `cpu_ns` of its CPU time and end for now."""
        self._spool.ledger.leave(target.process, cpu_ns)

    def offer(self, items: Iterable[Item]) -> None:
        """Take windows, points and facts; call from the loop's thread. Never blocks, never raises."""
        lead = lead_ns(self._clock)
        if is_step(lead - self._lead_ns):
            # A batch has one offset for all its times: what was read before the clock was set travels alone.
            if len(self._assembler):
                self._earlier.append((self._assembler.take(), self._lead_ns))
            self._lead_ns = lead
        given_up = self._assembler.add(items, self._clock.monotonic_ns())
        if given_up:
            self._give_up(given_up, BACKLOG)
        self._arrived.set()

    async def close(self, timeout: float) -> int:  # noqa: ASYNC109 - the bound is on the whole drain, then it gives up
        """Spool what was offered, send for `timeout` seconds at most, and end; a disk that hangs adds 2 × `DISK_S`.

        Returns the records that stay unsent; on disk they wait for the next run.
        """
        self._closing = True
        self._arrived.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=DISK_S)
            self._task.cancel()
        left = await self._exporter.close(timeout)
        done, _ = await asyncio.wait([asyncio.ensure_future(asyncio.to_thread(self._spool.close))], timeout=DISK_S)
        if not done:
            log.warning("the spool's disk hangs; what it holds is looked through at the next start")
        return left

    async def _run(self) -> None:
        while True:
            now = self._clock.monotonic_ns()
            remaining = self._assembler.remaining_ns(now)
            if self._earlier:
                await self._store(*self._earlier.pop(0))
            elif remaining == 0 or (remaining is not None and self._closing):
                await self._store(self._assembler.take(), self._lead_ns)
            elif self._closing:
                return
            elif self._unsaved and now >= self._save_at:
                self._unsaved = False
                self._save_at = now + SAVE_EVERY_NS
                await asyncio.to_thread(self._spool.save)
            else:
                self._arrived.clear()
                waits = [remaining, self._save_at - now if self._unsaved else None]
                await self._wait(min((wait for wait in waits if wait is not None), default=None))

    async def _wait(self, nanoseconds: int | None) -> None:
        try:
            async with asyncio.timeout(None if nanoseconds is None else nanoseconds / 1e9):
                await self._arrived.wait()
        except TimeoutError:
            return

    async def _store(self, items: list[Item], lead: int) -> None:
        offset = self._exporter.offset_at(lead)
        try:
            await asyncio.to_thread(self._encode_and_spool, items, offset)
        except Exception:
            log.exception("%d observations could not be spooled", len(items))
            self._counters.add(Count.ITEMS_DROPPED, INTERNAL, len(items))
            self._spool.note_dropped(INTERNAL, len(items))
        self._exporter.wake()

    def _give_up(self, items: list[Item], reason: str) -> None:
        self._counters.add(Count.ITEMS_DROPPED, reason, len(items))
        self._spool.ledger.owe(items)
        self._spool.note_dropped(reason, len(items))

    def _encode_and_spool(self, items: list[Item], offset_ns: int) -> None:
        settled = self._spool.ledger.settle(items)
        encoding = encode(settled, clock_offset_ns=offset_ns, max_batch_bytes=MAX_BATCH_BYTES)
        for message in encoding.refused:
            self._counters.add(Count.ITEMS_DROPPED, UNENCODABLE)
            self._spool.note_dropped(UNENCODABLE)
            log.warning("left out: %s", message)
        for record in encoding.records:
            self._spool.append(record.definitions, record.batch)
