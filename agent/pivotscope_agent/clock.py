"""Time as the agent sees it, injected so that tests need not wait."""

import asyncio
import time
from typing import Protocol

_STEP_NS = 10_000_000


class Clock(Protocol):
    """Three clocks and a sleep. Deadlines use `monotonic_ns`; records carry `unix_ns`."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never jump."""

    def unix_ns(self) -> int:
        """Nanoseconds since 1970; may be set by the administrator at any time."""

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic_ns(self) -> int:
        """CLOCK_MONOTONIC."""
        return time.monotonic_ns()

    def unix_ns(self) -> int:
        """CLOCK_REALTIME."""
        return time.time_ns()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running loop."""
        await asyncio.sleep(seconds)


async def next_beat(clock: Clock, seconds: float) -> None:
    """Wait for the next whole multiple of `seconds`: what keeps one pace wakes the processor once, not each by itself.

    After some milliseconds of sleep all that is read must come from memory again; that is most of what a waking costs.
    """
    period = round(seconds * 1e9)
    await clock.sleep((period - clock.monotonic_ns() % period) / 1e9)


def lead_ns(clock: Clock) -> int:
    """How far the time of day is ahead of the monotonic clock: it changes when the former is set, and only then."""
    return clock.unix_ns() - clock.monotonic_ns()


def is_step(change_ns: int) -> bool:
    """Whether a change of `lead_ns` is more than the two readings not being taken at once."""
    return abs(change_ns) >= _STEP_NS
