"""Tells the governor, every few seconds, what the agent itself takes."""

import resource

from pivotscope_agent.clock import Clock, next_beat
from pivotscope_agent.governing.governor import Governor
from pivotscope_agent.governing.own import OwnCpu

EVERY_S = 5.0


async def keep_books(governor: Governor, clock: Clock) -> None:
    """Read and tell, until cancelled. What was used before the first reading, to start, is not counted."""
    own = OwnCpu(clock.monotonic_ns(), _cpu_ns() - governor.samplers_ns)
    while True:
        governor.charge_own(own.update(clock.monotonic_ns(), _cpu_ns(), governor.samplers_ns))
        await next_beat(clock, EVERY_S)


def _cpu_ns() -> int:
    """CPU of this process and of its children that ended, in nanoseconds."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(sum(usage.ru_utime + usage.ru_stime for usage in usages) * 1e9)
