"""Time as the collector sees it, injected so that tests need not wait."""

import time
from typing import Protocol


class Clock(Protocol):
    """Stamps come from `unix_ns`, distances and deadlines from `monotonic`."""

    def unix_ns(self) -> int:
        """Nanoseconds since 1970 by the machine's clock."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""


class SystemClock:
    """The machine's clocks."""

    def unix_ns(self) -> int:
        """Nanoseconds since 1970 by the machine's clock."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()
