"""The samplers of one process, one after the other: started, looked after, and ended where they cost too much."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from random import Random

from pivotscope.profile.window import Mode

from pivotscope_agent.clock import Clock
from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.samplers.child import Child
from pivotscope_agent.samplers.looks import Looks, pace, watch
from pivotscope_agent.samplers.sampler import Ending, Request, Sampler
from pivotscope_agent.samplers.stops import StopTime
from pivotscope_agent.targets import procfs

GRACE_S = 2.0
"""How long an interrupted sampler may take to write its output."""
ATTACHED_S = 0.5
"""A sampler has attached by then; what it takes from there on is for looks. A slower one's attaching counts in part."""


class Attended:
    """Runs a sampler at a time; `child` is the one that runs now. Learns how long each mode holds the process."""

    def __init__(self, clock: Clock) -> None:
        self.child: Child | None = None
        self._clock = clock
        self._random = Random()  # noqa: S311 - moments to look at
        self._stops: dict[Mode, StopTime] = {}

    def stop(self) -> None:
        """Have the sampler that runs, if any, write what it has and end."""
        if self.child is not None:
            self.child.stop()

    async def run(self, sampler: Sampler, request: Request, limit_ns: int) -> Ending:
        """One window; a sampler that took more CPU than `limit_ns` is ended early. Raises OSError where none starts."""
        # Intervals between looks are random: five deviations of their sum are no reason to interrupt.
        slack_s = 5.0 + 5.0 * (request.seconds / request.rate_hz) ** 0.5
        child = self.child = Child.start(sampler.command(request), request.output, self._clock)
        looks = Looks()
        stops = not (request.nonblocking or sampler.nonblocking) or request.mode is Mode.NATIVE

        def look() -> None:
            looks.take(request.pid, child.pid, self._random)
            with suppress(ProcessGoneError):
                if procfs.cpu_ns(child.pid) > limit_ns:
                    child.stop()

        watching = asyncio.create_task(watch(look, pace(request.rate_hz, stops=stops), self._clock.sleep, self._random))
        attaching = asyncio.create_task(self._attached(child))
        try:
            ending = await child.wait(request.seconds + slack_s, GRACE_S)
        finally:
            watching.cancel()
            attaching.cancel()
            self.child = None
        if attaching.done() and not attaching.cancelled():
            ending = replace(ending, attach_ns=attaching_ns(*attaching.result(), ending))
        if not stops:
            return replace(ending, looks=looks)
        known = self._stops.setdefault(request.mode, StopTime())
        return replace(ending, looks=looks, stopped_ns=known.learn(looks, ending.elapsed_ns, ending.cpu_ns))

    async def _attached(self, child: Child) -> tuple[int, int]:
        """How long a sampler that has attached has run, and the CPU that it took; 0 where it has ended."""
        began_ns = self._clock.monotonic_ns()
        await self._clock.sleep(ATTACHED_S)
        with suppress(ProcessGoneError):
            return self._clock.monotonic_ns() - began_ns, procfs.cpu_ns(child.pid)
        return 0, 0


def attaching_ns(before_ns: int, cpu_ns: int, ending: Ending) -> int:
    """CPU that a sampler took to attach: what it had used by a moment after that, less looks at the pace of the rest.

    `before_ns` is how long it had run by then. 0 where the rest of its run is too short to tell a pace.
    """
    rest_ns = ending.elapsed_ns - before_ns
    if not 0 < before_ns <= rest_ns:
        return 0
    return max(0, round(cpu_ns - (ending.cpu_ns - cpu_ns) * before_ns / rest_ns))
