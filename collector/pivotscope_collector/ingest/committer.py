"""Group commit: batches of all streams become one insert a table."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pivotscope_collector.counters import Count, Counters, Latency
from pivotscope_collector.errors import StoreAwayError, StoreError
from pivotscope_collector.ingest.decode import Received
from pivotscope_collector.ingest.gather import gather
from pivotscope_collector.ingest.judge import Place, at_reception
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Verdict, invalid
from pivotscope_collector.store.rows import Rows, merge

_LOG = logging.getLogger(__name__)
_Part = Rows | Received
Outcome = Verdict | StoreError
"""What came of a batch: as it was judged, or why it was not stored."""
Told = Callable[[Sequence[tuple[Any, Outcome]]], None]
"""Is called with the marks of batches and what came of them."""
_GROUPS_WAITING = 2
"""Full groups that wait at most: one to follow at once, one that gathers."""
_GROUP_OCTETS = 16_000_000
_STOPPING = "the collector is stopping"
_OF_THE_MACHINE = (OSError, MemoryError, RuntimeError)
"""Unforeseen errors that no value in a batch is the cause of."""


@dataclass(slots=True)
class _Waiting:
    """What was handed over, how many rows it counts as, its bytes on the wire, and whom to tell what came of it."""

    part: _Part
    size: int
    octets: int
    tell: Told
    mark: object


class Committer:
    """Gathers batches for `seconds`, or until they have `rows` or `octets`; a thread checks, decodes and writes them.

    An insert costs almost the same for fifty rows as for ten thousand. While one group is written the next gathers,
    so groups grow with the load: a batch waits `seconds` only where the thread is idle. What waits is bounded by two
    full groups, of rows or of bytes (`octets`, as they came on the wire), of all streams together, and what each of
    them had read when there was room: streams are to wait for it (`room`) before they read more. Where they do, what
    waits is written as one.
    """

    def __init__(
        self,
        write: Callable[[Rows], None],
        counters: Counters,
        *,
        seconds: float,
        rows: int,
        octets: int = _GROUP_OCTETS,
        limits: Limits | None = None,
        place: Place = at_reception,
    ) -> None:
        self._write = write
        self._limits = limits or Limits()
        self._place = place
        self._counters = counters
        self._seconds = seconds
        self._rows = rows
        self._octets = octets
        self._waiting: deque[_Waiting] = deque()
        self._size = 0
        self._bytes = 0
        self._due = 0.0
        self._arrived = asyncio.Event()
        self._enough = asyncio.Event()
        self._room = asyncio.Condition()
        self._closing = False
        self._late = False
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Rows that wait for a commit."""
        return self._size

    @property
    def bytes_waiting(self) -> int:
        """Bytes of the messages that wait for a commit, as they came on the wire."""
        return self._bytes

    @property
    def full(self) -> bool:
        """Whether two full groups wait, by rows or by bytes."""
        most = _GROUPS_WAITING
        return (self._size >= most * self._rows or self._bytes >= most * self._octets) and not self._closing

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run(), name="committer")

    async def room(self) -> None:
        """Wait until less than two full groups wait."""
        if not self.full:
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with self._room:
                await self._room.wait_for(lambda: not self.full)
        finally:
            self._counters.took(Latency.HELD_BACK, loop.time() - began)

    def submit(self, part: _Part, tell: Told, mark: object = None, octets: int = 0) -> None:
        """Hand rows or a batch over, `octets` bytes on the wire. Raises StoreError when closing.

        `tell` is called on the loop when they are stored, all or in part, or will never be: once for all of a group
        that it was given with, each by its mark. It must neither block nor raise.
        """
        if self._closing:
            raise StoreError(_STOPPING)
        one = _Waiting(part, max(1, len(part)), octets, tell, mark)
        if not self._waiting:
            self._due = asyncio.get_running_loop().time() + self._seconds
            self._arrived.set()
        self._waiting.append(one)
        self._size += one.size
        self._bytes += octets
        if self._enough_waits():
            self._enough.set()

    async def close(self, seconds: float | None = None) -> None:
        """Take nothing more, write what waits, and stop. None: however long that takes.

        After `seconds` what is not being written yet is refused, so agents keep it. What is being written is waited
        for: nothing can interrupt it, and the store must not be closed beneath it.
        """
        async with self._room:
            self._closing = True
            self._room.notify_all()
        self._arrived.set()
        self._enough.set()
        if self._task:
            await asyncio.wait([self._task], timeout=seconds)
            self._late = True
            await self._task
        self._executor.shutdown()

    def _enough_waits(self) -> bool:
        """Whether a full group waits."""
        return self._size >= self._rows or self._bytes >= self._octets

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            if not self._closing:
                try:
                    async with asyncio.timeout_at(self._due):
                        await self._enough.wait()
                except TimeoutError:
                    pass
            group = await self._take()
            if group:
                await self._commit(group)
            if self._closing and not self._waiting:
                return

    async def _take(self) -> list[_Waiting]:
        async with self._room:
            # Where streams are held back, all that waits is one insert: it costs less a row, and they go on sooner.
            most = _GROUPS_WAITING if self.full else 1
            taken: list[_Waiting] = []
            size = octets = 0
            while self._waiting and size < most * self._rows and octets < most * self._octets:
                taken.append(self._waiting.popleft())
                size += taken[-1].size
                octets += taken[-1].octets
            self._size -= size
            self._bytes -= octets
            if not self._closing:
                if not self._waiting:
                    self._arrived.clear()
                if not self._enough_waits():
                    self._enough.clear()
            self._room.notify_all()
        return taken

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        """Write a group. If that fails, its batches are tried alone, so that none spoils the others."""
        outcomes = await self._attempt([one.part for one in group])
        if len(group) > 1 and isinstance(outcomes[0], StoreError):
            await self._commit_alone(group)
            return
        told: dict[Told, list[tuple[object, Outcome]]] = {}
        for one, outcome in zip(group, outcomes, strict=True):
            told.setdefault(one.tell, []).append((one.mark, outcome))
        for tell, settled in told.items():
            tell(settled)

    async def _commit_alone(self, group: Sequence[_Waiting]) -> None:
        """Write batches one by one; the first that does not reach the store speaks for those after it."""
        outcome: Outcome = None
        for one in group:
            if not isinstance(outcome, StoreAwayError):
                (outcome,) = await self._attempt([one.part])
            one.tell([(one.mark, outcome)])

    async def _attempt(self, parts: Sequence[_Part]) -> Sequence[Outcome]:
        if self._late:
            return [StoreError(_STOPPING)] * len(parts)
        loop = asyncio.get_running_loop()
        try:
            settled = await loop.run_in_executor(self._executor, self._store, parts)
        except StoreError as error:
            self._counters.add(Count.COMMIT_FAILURES)
            return [error] * len(parts)
        except Exception as error:  # noqa: BLE001 - the one committer must go on
            self._counters.add(Count.COMMIT_FAILURES)
            _LOG.exception("a commit of %d failed in an unforeseen way", len(parts))
            problem = f"the collector failed to store the batch: {error!r:.500}"
            if len(parts) == 1 and not isinstance(error, _OF_THE_MACHINE):
                # It would fail as often as it came, and with it each group that it came in.
                return [invalid(problem)]
            return [StoreError(problem)] * len(parts)
        self._counters.add(Count.COMMITS)
        return settled

    def _store(self, parts: Sequence[_Part]) -> list[Verdict]:
        """In the thread: check and decode what are batches, write, and tell of each part how it was settled."""
        gathered = gather([part for part in parts if isinstance(part, Received)], self._limits, self._place)
        self._write(merge([gathered.rows, *(part for part in parts if isinstance(part, Rows))]))
        for flag, count in gathered.corrected.items():
            self._counters.add(Count.WINDOWS_CORRECTED, count, flag)
        verdicts = iter(gathered.verdicts)
        return [next(verdicts) if isinstance(part, Received) else None for part in parts]
