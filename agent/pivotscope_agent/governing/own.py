"""What the agent itself takes."""

LATELY_S = 180.0
USUAL_CORES, USUAL_S = 0.003, 60.0
"""What an agent beside one process takes, and for how long to have known it: before anything was measured it takes
something too, and what its first seconds cost it does not take for ever.
"""


class OwnCpu:
    """Mean over the last minutes of CPU that is no sampler's: the agent's process and its other children."""

    def __init__(self, now_ns: int, total_ns: int) -> None:
        self._at_ns = now_ns
        self._others_ns = total_ns
        self._cores = USUAL_CORES
        self._known_s = USUAL_S

    def update(self, now_ns: int, total_ns: int, samplers_ns: int) -> float:
        """Cores lately. `total_ns` is CPU of the process and of all children that ended, `samplers_ns` of samplers.

        A mean over all that is known until that is `LATELY_S`; from then on the old fades.
        """
        passed, others = now_ns - self._at_ns, total_ns - samplers_ns
        if passed > 0:
            self._known_s = min(LATELY_S, self._known_s + passed / 1e9)
            weight = min(1.0, passed / 1e9 / self._known_s)
            self._cores += weight * (max(0, others - self._others_ns) / passed - self._cores)
            self._at_ns, self._others_ns = now_ns, max(others, self._others_ns)
        return self._cores
