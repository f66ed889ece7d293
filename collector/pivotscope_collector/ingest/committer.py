"""Group commit: batches of all streams become one insert a table."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.errors import StoreError
from pivotscope_collector.store.rows import Rows, merge

_LOG = logging.getLogger(__name__)
_Waiting = tuple[Rows, "asyncio.Future[None]"]


class Committer:
    """Gathers rows for `seconds`, or until there are `rows` of them, and writes them in a thread of its own.

    An insert costs almost the same for fifty rows as for twenty thousand. While one group is written the next
    gathers. At most `8 × rows` wait; `submit` then waits for room, and so do the streams that call it.
    """

    def __init__(self, write: Callable[[Rows], None], counters: Counters, *, seconds: float, rows: int) -> None:
        self._write = write
        self._counters = counters
        self._seconds = seconds
        self._rows = rows
        self._waiting: list[_Waiting] = []
        self._size = 0
        self._arrived = asyncio.Event()
        self._enough = asyncio.Event()
        self._room = asyncio.Condition()
        self._closing = False
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run(), name="committer")

    async def submit(self, rows: Rows) -> "asyncio.Future[None]":
        """Hand rows over, waiting for room; the future is done when they are stored, or fails with StoreError."""
        async with self._room:
            await self._room.wait_for(lambda: self._size < 8 * self._rows or self._closing)
            if self._closing:
                raise StoreError("the collector is stopping")
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((rows, future))
            self._size += max(1, len(rows))
        self._arrived.set()
        if self._size >= self._rows:
            self._enough.set()
        return future

    async def close(self) -> None:
        """Take nothing more, write what waits, and stop."""
        async with self._room:
            self._closing = True
            self._room.notify_all()
        self._arrived.set()
        self._enough.set()
        if self._task:
            await self._task
        self._executor.shutdown()

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            if not self._closing:
                try:
                    async with asyncio.timeout(self._seconds):
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
            taken: list[_Waiting] = []
            size = 0
            while self._waiting and (not taken or size < self._rows):
                taken.append(self._waiting.pop(0))
                size += max(1, len(taken[-1][0]))
            self._size -= size
            if not self._closing:
                if not self._waiting:
                    self._arrived.clear()
                if self._size < self._rows:
                    self._enough.clear()
            self._room.notify_all()
        return taken

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        """Write a group. If the store refuses it, its batches are tried alone, so that none spoils the others."""
        error = await self._attempt([rows for rows, _ in group])
        for rows, future in group:
            own = error
            if error is not None and len(group) > 1:
                own = await self._attempt([rows])
            if future.cancelled():
                continue
            if own is None:
                future.set_result(None)
            else:
                future.set_exception(own)

    async def _attempt(self, parts: Sequence[Rows]) -> StoreError | None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._executor, lambda: self._write(merge(parts)))
        except StoreError as error:
            self._counters.add(Count.COMMIT_FAILURES)
            return error
        except Exception as error:  # noqa: BLE001 - the one committer must go on; the batch is refused and sent again
            self._counters.add(Count.COMMIT_FAILURES)
            _LOG.exception("a group commit failed in an unforeseen way")
            return StoreError(f"the collector failed to store the batch: {error!r}")
        self._counters.add(Count.COMMITS)
        return None
