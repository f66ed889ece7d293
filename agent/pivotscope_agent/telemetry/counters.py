"""The counts that belong to the table's counters."""

import threading

from pivotscope_agent.telemetry.table import Count

__all__ = ["Count", "Counters"]


class Counters:
    """Monotone counts keyed by name and label values; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[Count, tuple[str, ...]], int] = {}

    def add(self, name: Count, reason: str | tuple[str, ...] = "", amount: int = 1) -> None:
        """Count `amount` more of `name` for `reason`: the value of its label, or of each of its labels."""
        key = (name, (reason,) if isinstance(reason, str) else reason)
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + amount

    def get(self, name: Count, reason: str | tuple[str, ...] | None = None) -> int:
        """The count of one reason, or of all reasons together."""
        wanted = (reason,) if isinstance(reason, str) else reason
        with self._lock:
            if wanted is not None:
                return self._counts.get((name, wanted), 0)
            return sum(value for (counted, _), value in self._counts.items() if counted == name)

    def snapshot(self) -> dict[tuple[Count, tuple[str, ...]], int]:
        """All counts at this moment, by name and label values."""
        with self._lock:
            return dict(self._counts)
