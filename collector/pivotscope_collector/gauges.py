"""What the collector tells of its present state: names, what they mean, and how each is read."""

from collections.abc import Callable, Mapping
from enum import StrEnum


class Gauge(StrEnum):
    """Names of values that go up and down."""

    STREAMS_OPEN = "streams_open"
    ROWS_WAITING = "rows_waiting"
    BYTES_WAITING = "bytes_waiting"
    CERTIFICATE_SECONDS = "certificate_remaining_seconds"
    RESIDENT_BYTES = "resident_bytes"


GAUGES: dict[Gauge, str] = {
    Gauge.STREAMS_OPEN: "Agents' streams that are open.",
    Gauge.ROWS_WAITING: "Stack rows that wait for a group commit; at two full groups agents are held back.",
    Gauge.BYTES_WAITING: "Bytes of messages that wait for a group commit; at two full groups agents are held back.",
    Gauge.CERTIFICATE_SECONDS: "Seconds until the collector's certificate ends; negative once it has.",
    Gauge.RESIDENT_BYTES: "Memory of the collector's process that is resident.",
}

Read = Callable[[], float | None]


class Gauges:
    """Values that are read when somebody asks; None where there is none."""

    def __init__(self, reads: Mapping[Gauge, Read] | None = None) -> None:
        self._reads = dict(reads or {})

    def read_with(self, name: Gauge, read: Read) -> None:
        """Say how a value is read."""
        self._reads[name] = read

    def values(self) -> dict[Gauge, float]:
        """Every value that there is now."""
        found = {name: read() for name, read in self._reads.items()}
        return {name: value for name, value in found.items() if value is not None}
