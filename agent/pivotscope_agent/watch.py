"""Follows which processes come and go, and keeps one sampling loop for each."""

import asyncio
import logging
from functools import partial

from pivotscope_agent.clock import next_beat
from pivotscope_agent.sampling import Sampling, Shared
from pivotscope_agent.sources import Sources
from pivotscope_agent.status import TargetStatus
from pivotscope_agent.targets.scan import Scanner

log = logging.getLogger(__name__)

EAGER_S, EAGER_PART = 0.1, 0.05
"""At first scans follow each other sooner: after so many seconds, and such a part of the time since the agent began.

What a process used after the last look at it is lost when its parent takes note of its end; of programs that live no
longer than the agent this is then a small part.
"""
NOTICE_S = 1.0
"""How long samplers may take to notice that their process ended, before they are told to write what they have."""


class Watch:
    """Scans at a steady pace until `stop`; a loop that fails is logged and does not take others with it.

    `scanned_ns` is when it last scanned to the end, on the monotonic clock.
    """

    def __init__(self, scanner: Scanner, shared: Shared, sources: Sources, rescan_seconds: float) -> None:
        self._scanner = scanner
        self._shared = shared
        self._sources = sources
        self._rescan_seconds = rescan_seconds
        self.scanned_ns = shared.clock.monotonic_ns()
        self._loops: dict[tuple[int, int], Sampling] = {}
        self._running: dict[tuple[int, int], asyncio.Task[None]] = {}

    @property
    def count(self) -> int:
        """Processes watched now."""
        return len(self._loops)

    @property
    def statuses(self) -> tuple[TargetStatus, ...]:
        """How each of them fares."""
        return tuple(loop.status for loop in self._loops.values())

    async def run(self) -> None:
        """Scan until cancelled."""
        clock = self._shared.clock
        began = clock.monotonic_ns()
        while True:
            self._scan()
            self.scanned_ns = clock.monotonic_ns()
            eager_s = max(EAGER_S, EAGER_PART * (self.scanned_ns - began) / 1e9)
            if eager_s < self._rescan_seconds:
                await clock.sleep(eager_s)
            else:
                await next_beat(clock, self._rescan_seconds)

    def reconsider(self) -> None:
        """The collector asks for something else than before."""
        for loop in self._loops.values():
            loop.reconsider()

    async def stop(self) -> None:
        """End all loops; running samplers are told to write what they have, and every window is delivered."""
        ended = set(self._scanner.scan().ended)
        for key, loop in self._loops.items():
            loop.end(exited=key in ended)
        if ended and self._running:
            await asyncio.wait(self._running.values(), timeout=NOTICE_S)
            for loop in self._loops.values():
                loop.end(exited=False)
        if self._running:
            await asyncio.wait(self._running.values())

    def _scan(self) -> None:
        changes = self._scanner.scan()
        for key in changes.ended:
            if key in self._loops:
                self._loops[key].end(exited=True)
        for loop in self._loops.values():
            loop.refresh()
        for target in changes.found:
            process = target.process
            log.info(
                "found process %d: %s, %s %s",
                process.pid,
                process.service,
                target.runtime.name,
                target.runtime.version,
                extra={"pid": process.pid, "service": process.service},
            )
            before = self._running.get(target.key)
            if before is not None:
                self._loops[target.key].end(exited=False)
            loop = self._loops[target.key] = Sampling(target, self._shared)
            task = asyncio.create_task(_run_after(before, loop), name=f"sample {process.pid}")
            self._running[target.key] = task
            task.add_done_callback(partial(self._done, loop))

    def _done(self, loop: Sampling, task: "asyncio.Task[None]") -> None:
        key = loop.target.key
        if self._running.get(key) is task:
            del self._running[key], self._loops[key]
        self._sources.forget(loop.target)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("sampling process %d failed", loop.target.process.pid, exc_info=problem)


async def _run_after(before: "asyncio.Task[None] | None", loop: Sampling) -> None:
    """Begin once nobody else takes windows of the process: it executed another program, and has ended as the first."""
    if before is not None:
        await asyncio.wait((before,))
    await loop.run()
