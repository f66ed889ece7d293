"""Holds the samplers to a CPU budget: lowers the rate first, then takes fewer windows, and says what it chose."""

from dataclasses import dataclass

from pivotscope_agent.status import GovernorStatus

Key = tuple[int, int]

LOWEST_RATE_HZ = 2
"""Below this a window tells next to nothing for the price of attaching."""
_SMOOTHING = 0.5
_STEP_DOWN, _STEP_UP = 0.5, 1.25


@dataclass(frozen=True, slots=True)
class Plan:
    """What a process's next window may cost. Rate 0: leave it out. `reason` says why it is not what was asked for."""

    rate_hz: int
    reason: str = ""


class Governor:
    """Knows what each process's sampler cost lately, in cores, and scales all of them alike.

    `budget` is in cores, for all samplers together.
    """

    def __init__(self, budget: float) -> None:
        self._budget = budget
        self._cost: dict[Key, float] = {}
        self._credit: dict[Key, float] = {}
        self._scale = 1.0

    @property
    def used(self) -> float:
        """Cores that samplers take now, by their latest windows."""
        return sum(self._cost.values())

    @property
    def status(self) -> GovernorStatus:
        """Where it stands, for those who tell of it."""
        return GovernorStatus(self._budget, self.used, self._scale)

    def plan(self, key: Key, asked_hz: int) -> Plan:
        """Decide on a process's next window; `asked_hz` is the rate that the settings or the collector ask for."""
        floor = min(LOWEST_RATE_HZ, asked_hz)
        if self._scale >= 1.0:
            return Plan(asked_hz)
        rate = int(asked_hz * self._scale)
        if rate >= floor:
            return Plan(rate, f"CPU budget: {rate} of {asked_hz} Hz")
        # Windows that are still to cost too much at the lowest rate are taken less often.
        credit = self._credit.get(key, 1.0) + self._scale * asked_hz / floor
        self._credit[key] = min(2.0, credit - 1.0 if credit >= 1.0 else credit)
        return (
            Plan(floor, f"CPU budget: {floor} of {asked_hz} Hz") if credit >= 1.0 else Plan(0, "CPU budget: left out")
        )

    def observe(self, key: Key, cpu_ns: int, elapsed_ns: int) -> None:
        """Learn what a window cost; one that was left out cost nothing."""
        cost = cpu_ns / max(1, elapsed_ns)
        before = self._cost.get(key, cost)
        self._cost[key] = before + _SMOOTHING * (cost - before)
        share = max(1, len(self._cost))
        wanted = self._budget / self.used if self.used > 0 else _STEP_UP
        # Every process reports once a window: each moves the common scale by its part only.
        step = min(_STEP_UP, max(_STEP_DOWN, wanted)) ** (1.0 / share)
        self._scale = min(1.0, max(0.001, self._scale * step))

    def forget(self, key: Key) -> None:
        """Drop a process that ended."""
        self._cost.pop(key, None)
        self._credit.pop(key, None)
