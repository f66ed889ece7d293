"""How long a sampler held its process: the sampler's own work, times a factor that a few random looks teach."""

from pivotscope_agent.samplers.looks import Looks

KEPT = 0.99
"""What a window leaves of those before it: a hundred windows count, for at low rates each has few looks."""
PRIOR_FACTOR, PRIOR_WORK_NS = 1.0, 250_000_000
"""Before any look: the process is held for as long as the sampler works. One unlucky look must not outweigh that."""


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
