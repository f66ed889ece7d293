"""The most looks that budgets allow; pure."""

from dataclasses import dataclass

from pivotscope_agent.governing.cost import Cost

LOWEST_HZ = 2
"""Below this a window tells next to nothing for the price of attaching."""
LEAST_LOOKS = 6
"""A window with fewer is not worth attaching."""
SPREAD = 2.0
"""Looks should cost so many times what attaching does before windows are taken less often instead."""
STEP_UP = 1.25
"""The rate rises by a quarter at most, or by one look a second."""
KEPT_S = 13.0
"""Savings that looks beyond the steady rate leave alone: what fills in so many seconds."""
ROUNDING_NS = 1e3


@dataclass(frozen=True, slots=True)
class Limits:
    """What one window may cost, in CPU of the sampler and in time for which the process is stopped.

    `steady_*` are parts of the time that can be held for ever, `*_now_ns` is what is there for a window now, and
    `*_most_ns` what can ever be saved for one.
    """

    steady_cpu: float
    steady_stop: float
    cpu_now_ns: float
    stop_now_ns: float
    cpu_most_ns: float
    stop_most_ns: float


@dataclass(frozen=True, slots=True)
class Shape:
    """Rate and length of a window, and what it needs."""

    rate_hz: int
    seconds: int
    cpu_ns: float
    stop_ns: float

    def payable(self, limits: Limits) -> bool:
        """Whether what is there pays for it."""
        return self.cpu_ns <= limits.cpu_now_ns + ROUNDING_NS and self.stop_ns <= limits.stop_now_ns + ROUNDING_NS

    def payable_in(self, limits: Limits) -> float:
        """Seconds until what fills steadily pays for it."""
        cpu_s = (self.cpu_ns - limits.cpu_now_ns) / limits.steady_cpu / 1e9
        stop_s = (self.stop_ns - limits.stop_now_ns) / limits.steady_stop / 1e9 if self.stop_ns > 0.0 else 0.0
        return max(0.0, cpu_s, stop_s)


def steady(
    cost: Cost, limits: Limits, asked_hz: int, seconds: int, last_hz: int, *, thrifty: bool = False
) -> Shape | None:
    """A window that can be followed by others like it without a pause; None where that is too few looks.

    A rate between two whole ones is had by turns: the higher one where savings pay for it, unless `thrifty`.
    """
    sustained = _rate(cost, seconds, limits.steady_cpu * seconds * 1e9, limits.steady_stop * seconds * 1e9)
    # A debt is paid back by fewer looks before it is paid back by pauses.
    payable = _rate(cost, seconds, limits.cpu_now_ns, limits.stop_now_ns)
    rate = min(float(asked_hz), sustained, payable)
    if rate < lowest(cost, asked_hz, seconds):
        return None
    whole = int(rate)
    if whole < rate and not thrifty and _affordable(cost, limits, seconds) >= whole + 1:
        whole += 1
    return shape(cost, min(whole, max(last_hz + 1, int(last_hz * STEP_UP))) if last_hz else whole, seconds)


def spared(cost: Cost, limits: Limits, asked_hz: int, seconds: int) -> Shape:
    """A window at the lowest rate that makes sense, as long as savings can pay for, to be followed by a pause."""
    rate = lowest(cost, asked_hz, seconds)
    length = min(
        seconds,
        (limits.cpu_most_ns - cost.attach_ns) / (cost.look_ns * rate),
        limits.stop_most_ns / (cost.stop_ns * rate) if cost.stop_ns > 0 else seconds,
    )
    least = -(-LEAST_LOOKS // rate)
    return shape(cost, rate, min(seconds, max(least, int(length))))


def lowest(cost: Cost, asked_hz: int, seconds: int) -> int:
    """The rate below which attaching is what one pays for."""
    worth = SPREAD * cost.attach_ns / (cost.look_ns * seconds)
    return max(1, min(asked_hz, max(LOWEST_HZ, int(worth))))


def shape(cost: Cost, rate_hz: int, seconds: int) -> Shape:
    """A window and what it needs by the known cost."""
    looks = rate_hz * seconds
    return Shape(rate_hz, seconds, cost.cpu_ns(looks), cost.stop_ns * looks)


def _rate(cost: Cost, seconds: int, cpu_ns: float, stop_ns: float) -> float:
    by_cpu = (cpu_ns - cost.attach_ns) / (cost.look_ns * seconds)
    return min(by_cpu, stop_ns / (cost.stop_ns * seconds)) if cost.stop_ns > 0 else by_cpu


def _affordable(cost: Cost, limits: Limits, seconds: int) -> float:
    """The rate for which what is there suffices, less what is kept."""
    kept_cpu, kept_stop = (KEPT_S * 1e9 * min(1.0, part) for part in (limits.steady_cpu, limits.steady_stop))
    return _rate(cost, seconds, limits.cpu_now_ns - kept_cpu, limits.stop_now_ns - kept_stop)
