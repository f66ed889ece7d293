"""Time as the agent sees it, injected so that tests need not wait."""

import asyncio
import time
from typing import Protocol


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
