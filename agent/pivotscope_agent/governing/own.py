"""What the agent itself takes."""

from math import exp

LATELY_S = 180.0


class OwnCpu:
    """Mean over the last minutes of CPU that is no sampler's: the agent's process and its other children."""

    def __init__(self, now_ns: int, total_ns: int) -> None:
        self._at_ns = now_ns
        self._others_ns = total_ns
        self._cores = 0.0

    def update(self, now_ns: int, total_ns: int, samplers_ns: int) -> float:
        """Cores lately. `total_ns` is CPU of the process and of all children that ended, `samplers_ns` of samplers."""
        passed, others = now_ns - self._at_ns, total_ns - samplers_ns
        if passed > 0:
            weight = 1.0 - exp(-passed / (LATELY_S * 1e9))
            self._cores += weight * (max(0, others - self._others_ns) / passed - self._cores)
            self._at_ns, self._others_ns = now_ns, max(others, self._others_ns)
        return self._cores
