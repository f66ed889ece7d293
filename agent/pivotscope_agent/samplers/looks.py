"""Random looks at a process while its sampler runs: what the sampler itself cannot tell."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from pivotscope_agent.targets import procfs

PART_OF_RATE = 0.25
"""Random looks for each look of the sampler; what they teach is kept over many windows, and each wakes the agent."""
FEWEST_HZ, MOST_HZ, NO_STOPS_HZ = 1.0, 50.0, 0.5
MOST_THREADS = 16
"""Threads that are read at each look; of a process with more, some are drawn."""


@dataclass(slots=True)
class Looks:
    """What `count` random looks found. `stopped` of them found the process stopped.

    `running` threads were seen in all, on a processor or waiting for one. `work_ns` is the sampler's CPU and the time
    it waited for a processor: what a stop cannot be shorter than.
    """

    count: int = 0
    stopped: int = 0
    running: float = 0.0
    work_ns: int = 0

    def take(self, pid: int, sampler_pid: int, random: Random) -> None:
        """Look once; about thirty microseconds for a process with one thread."""
        others = procfs.thread_ids(pid)
        if pid not in others:
            return
        others.remove(pid)
        drawn = others if len(others) < MOST_THREADS else random.sample(others, MOST_THREADS - 1)
        first = procfs.thread_state(pid, pid)
        running = sum(procfs.thread_state(pid, thread) == "R" for thread in drawn)
        self.count += 1
        self.stopped += first in "tT"
        self.running += (first == "R") + (running * len(others) / len(drawn) if drawn else 0)
        self.work_ns = max(self.work_ns, procfs.work_ns(sampler_pid))


def pace(rate_hz: int, *, stops: bool) -> float:
    """Random looks a second. Where nobody is stopped they tell of delay alone, and the kernel counts most of that."""
    return min(MOST_HZ, max(FEWEST_HZ, PART_OF_RATE * rate_hz)) if stops else NO_STOPS_HZ


async def watch(
    take: Callable[[], None], mean_hz: float, sleep: Callable[[float], Awaitable[None]], random: Random
) -> None:
    """Take a look at random moments, so many a second, without end: cancel it when the sampler has ended."""
    while True:
        await sleep(random.expovariate(mean_hz))
        take()
