"""How long a sampler held its process: the sampler's own work, times a factor that a few random looks teach."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.targets import procfs

PART_OF_RATE = 0.5
"""Random looks for each look of the sampler: enough to see stops of 2 % in a minute to within a tenth of them."""
FEWEST_HZ, MOST_HZ = 2.0, 50.0
KEPT = 0.98
"""What a window leaves of those before it: fifty windows count."""
PRIOR_FACTOR, PRIOR_WORK_NS = 1.0, 30_000_000
"""Before any look: the process is held for as long as the sampler works."""


@dataclass(slots=True)
class Looks:
    """Random looks at a process while its sampler runs; `stopped` of `count` found it stopped.

    `work_ns` is the sampler's CPU and the time it waited for a processor: what a stop cannot be shorter than.
    """

    count: int = 0
    stopped: int = 0
    work_ns: int = 0

    def take(self, pid: int, sampler_pid: int) -> None:
        """Look once; about thirty microseconds."""
        try:
            self.stopped += procfs.stat(pid).state in "tT"
            self.count += 1
        except ProcessGoneError:
            return
        self.work_ns = max(self.work_ns, procfs.work_ns(sampler_pid))


async def watch(
    take: Callable[[], None], rate_hz: int, sleep: Callable[[float], Awaitable[None]], random: Random
) -> None:
    """Take a look at random moments, without end: cancel it when the sampler has ended."""
    mean_hz = min(MOST_HZ, max(FEWEST_HZ, PART_OF_RATE * rate_hz))
    while True:
        await sleep(random.expovariate(mean_hz))
        take()


class StopTime:
    """Learns, over the windows of one process and mode, how long it is held for a unit of the sampler's work.

    A ratio of sums: windows of another rate teach the same factor, and a few looks a window suffice.
    """

    def __init__(self) -> None:
        self._held_ns = PRIOR_FACTOR * PRIOR_WORK_NS
        self._work_ns = float(PRIOR_WORK_NS)

    def learn(self, looks: Looks, elapsed_ns: int, cpu_ns: int) -> int:
        """Take in a window that lasted `elapsed_ns`; gives how long the process was held in it, in nanoseconds."""
        work = max(looks.work_ns, cpu_ns)
        if looks.count:
            self._held_ns = KEPT * self._held_ns + elapsed_ns * looks.stopped / looks.count
            self._work_ns = KEPT * self._work_ns + work
        return min(elapsed_ns, round(work * self._held_ns / self._work_ns))
