"""What a look at a process costs, learnt from the windows that were taken."""

from dataclasses import dataclass

ATTACH_NS = 12e6
"""CPU of a sampler that attaches and reads the symbols, until a window has told: what it takes beyond counts as looks.

An estimate that is too low keeps the control steady: fewer looks then save less than expected, and the next step goes
on from there. One that is too high would overshoot.
"""
_NEWS = 0.3
"""How much of another cost is believed at once."""
_ALARM = 1.5
"""A cost so many times the known one is no noise: it is believed at once and wholly."""
_LEAST_LOOK_NS = 1e4


@dataclass(slots=True)
class Cost:
    """CPU of the sampler, and time that the process is stopped, in nanoseconds a look; `attach_ns` once a window."""

    look_ns: float
    stop_ns: float
    attach_ns: float = ATTACH_NS

    @classmethod
    def of(cls, cpu_ns: int, stopped_ns: int, looks: float, attach_ns: float = ATTACH_NS) -> "Cost":
        """The cost by one window."""
        return cls(max(_LEAST_LOOK_NS, (cpu_ns - attach_ns) / looks), max(0.0, stopped_ns / looks), attach_ns)

    def learn(self, seen: "Cost") -> None:
        """Take in another window."""
        self.look_ns = _moved(self.look_ns, seen.look_ns)
        self.attach_ns = _moved(self.attach_ns, seen.attach_ns)
        self.stop_ns = _moved(self.stop_ns, seen.stop_ns)

    def cpu_ns(self, looks: float) -> float:
        """CPU of a window with so many looks."""
        return self.attach_ns + self.look_ns * looks


def _moved(known: float, seen: float) -> float:
    return seen if seen > _ALARM * known else known + _NEWS * (seen - known)
