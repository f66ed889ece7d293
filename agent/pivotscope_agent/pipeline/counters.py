"""Counts of what the pipeline did and of what it had to give up, by name and reason."""

import threading
from enum import StrEnum


class Count(StrEnum):
    """Names of the pipeline's counters; the value is the name under which the agent exposes it."""

    RECORDS_SPOOLED = "records_spooled"
    RECORDS_SENT = "records_sent"
    RECORDS_ACKNOWLEDGED = "records_acknowledged"
    RECORDS_REJECTED = "records_rejected"
    RECORDS_DROPPED = "records_dropped"
    ITEMS_DROPPED = "items_dropped"
    SPOOL_ERRORS = "spool_errors"
    CONNECTIONS = "connections"
    CONNECTION_FAILURES = "connection_failures"
    SCRAPES = "scrapes"
    SERIES_REFUSED = "series_refused"


MEANINGS: dict[Count, str] = {
    Count.RECORDS_SPOOLED: "Records accepted by the spool; reason: disk or memory.",
    Count.RECORDS_SENT: "Records written to a stream, repetitions included.",
    Count.RECORDS_ACKNOWLEDGED: "Records that the collector stored.",
    Count.RECORDS_REJECTED: "Rejections by the collector, by its reason; retryable ones are sent again.",
    Count.RECORDS_DROPPED: "Records given up before they were acknowledged, by reason.",
    Count.ITEMS_DROPPED: "Windows, points and facts given up before they became a record, by reason.",
    Count.SPOOL_ERRORS: "Failed operations on the spool's folder, by operating system error.",
    Count.CONNECTIONS: "Streams that the collector welcomed.",
    Count.CONNECTION_FAILURES: "Streams that failed or broke, by gRPC status.",
    Count.SCRAPES: "Reads of an application's metrics page, by outcome.",
    Count.SERIES_REFUSED: "Series not passed on, by reason.",
}


class Counters:
    """Monotone counts keyed by (name, reason); safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[Count, str], int] = {}

    def add(self, name: Count, reason: str = "", amount: int = 1) -> None:
        """Count `amount` more of `name` for `reason`."""
        with self._lock:
            self._counts[name, reason] = self._counts.get((name, reason), 0) + amount

    def get(self, name: Count, reason: str | None = None) -> int:
        """The count of one reason, or of all reasons together."""
        with self._lock:
            if reason is not None:
                return self._counts.get((name, reason), 0)
            return sum(value for (counted, _), value in self._counts.items() if counted == name)

    def snapshot(self) -> dict[tuple[Count, str], int]:
        """All counts at this moment."""
        with self._lock:
            return dict(self._counts)
