"""How long the threads of a process looked as if they ran, and did not."""

from math import sqrt

from pivotscope_agent.samplers.looks import Looks

KEPT = 0.98
"""What a window leaves of those before it: fifty windows count."""
WAKING_NS, WAKING_DOUBT_NS = 150_000, 300_000
"""From the end of a stop until the process runs again: an interrupt to a processor that went idle. 20 to 400
microseconds were seen; the kernel counts it nowhere.
"""
DOUBT, LEAST_DOUBT = 0.5, 0.01
"""How far counted waits may be from what samples see: a part of them, and a part of the CPU."""


class RunDelay:
    """Learns, over the windows of one process, how much longer its threads are runnable than they run.

    Two witnesses. The kernel's count of waits after a preemption is exact, but some waits stretch the work that is not
    among them: those after a sampler's stop. Random looks see every thread that is runnable, with the error of
    counting. Their mean, weighted by the inverse of their variances, is what a nanosecond of CPU is multiplied by: few
    looks at a process that is hardly held leave the count as it is, many at one that is held often outweigh it.
    """

    def __init__(self) -> None:
        self._cpu_ns = self._waited_ns = self._stops = self._excess_ns = self._variance = 0.0

    def learn(self, looks: Looks, duration_ns: int, cpu_ns: int, waited_ns: int, stops: int) -> int:
        """Take in a window; gives its delay in nanoseconds.

        `waited_ns` is what the kernel counted after preemptions, `stops` how often the sampler held the process.
        """
        if looks.count:
            part = min(1.0, cpu_ns / max(1, duration_ns))
            self._cpu_ns = KEPT * self._cpu_ns + cpu_ns
            self._waited_ns = KEPT * self._waited_ns + waited_ns
            self._stops = KEPT * self._stops + stops * part
            self._excess_ns = KEPT * self._excess_ns + duration_ns * looks.running / looks.count - cpu_ns
            self._variance = KEPT * self._variance + (duration_ns / looks.count) ** 2 * _spread(looks)
        return round(cpu_ns * self._factor()) if self._cpu_ns > 0.0 else waited_ns

    def _factor(self) -> float:
        """Delay for each nanosecond of CPU."""
        counted, stops = self._waited_ns / self._cpu_ns, self._stops / self._cpu_ns
        expected = counted + WAKING_NS * stops
        doubt = LEAST_DOUBT + DOUBT * counted + WAKING_DOUBT_NS * stops
        error = sqrt(self._variance) / self._cpu_ns
        weight = doubt**2 / (doubt**2 + error**2)
        return max(0.0, expected + weight * (self._excess_ns / self._cpu_ns - expected))


def _spread(looks: Looks) -> float:
    """Variance of the number of running threads seen: of drawing yes or no for one thread, of counting for several."""
    part = looks.running / looks.count
    return max(1.0, looks.running * (1.0 - part) if part < 1.0 else looks.running)
