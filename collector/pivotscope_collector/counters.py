"""What the collector counts of its own work: one typed table of names, and the counts."""

import threading
from bisect import bisect_left
from enum import StrEnum
from itertools import accumulate


class Count(StrEnum):
    """Names of the collector's counters; the label of each is in MEANINGS."""

    STREAMS = "streams"
    STREAMS_REFUSED = "streams_refused"
    BATCHES_STORED = "batches_stored"
    BATCHES_REFUSED = "batches_refused"
    PARTS_REFUSED = "parts_refused"
    WINDOWS_CORRECTED = "windows_corrected"
    NAMES_FOLDED = "names_folded"
    STATUSES_REFUSED = "statuses_refused"
    ROWS_STORED = "rows_stored"
    COMMITS = "commits"
    COMMIT_FAILURES = "commit_failures"
    COMMITS_REPEATED = "commits_repeated"
    MINUTES_ROLLED = "minutes_rolled"
    JOB_RUNS = "job_runs"
    JOB_FAILURES = "job_failures"
    CERTIFICATE_LOADS = "certificate_loads"
    CALLS_REFUSED = "calls_refused"
    STREAMS_ENDED = "streams_ended"
    AUDIT_FAILURES = "audit_failures"


MEANINGS: dict[Count, str] = {
    Count.STREAMS: "Streams that were welcomed.",
    Count.STREAMS_REFUSED: "Streams that were refused, by reason.",
    Count.BATCHES_STORED: "Batches stored, repetitions included.",
    Count.BATCHES_REFUSED: "Batches refused, by reason.",
    Count.PARTS_REFUSED: "Windows, points and facts left out of batches that were stored, by reason.",
    Count.WINDOWS_CORRECTED: "Windows booked at their reception, for their own time was not believed, by flag.",
    Count.NAMES_FOLDED: "Names beyond what a service may bring in a day, by kind; each stands for others as well.",
    Count.STATUSES_REFUSED: "Statuses of agents that were passed over, by reason.",
    Count.ROWS_STORED: "Rows inserted, by table.",
    Count.COMMITS: "Group commits.",
    Count.COMMIT_FAILURES: "Group commits that the store refused.",
    Count.COMMITS_REPEATED: "Group commits written again, because they took too long, or a roll-up looked further.",
    Count.MINUTES_ROLLED: "Minutes rolled up, repetitions included.",
    Count.JOB_RUNS: "Scheduled jobs that ran, by job.",
    Count.JOB_FAILURES: "Scheduled jobs that failed, by job.",
    Count.CERTIFICATE_LOADS: "Changed certificate files that were taken up or refused, by outcome.",
    Count.CALLS_REFUSED: "Calls and streams that were refused for their token, by what it lacked.",
    Count.STREAMS_ENDED: "Streams that were ended because their token was revoked or has expired.",
    Count.AUDIT_FAILURES: "Calls of the admin service that could not be recorded.",
}


LABELS: dict[Count, str] = {
    Count.STREAMS_REFUSED: "reason",
    Count.BATCHES_REFUSED: "reason",
    Count.PARTS_REFUSED: "reason",
    Count.WINDOWS_CORRECTED: "flag",
    Count.NAMES_FOLDED: "kind",
    Count.STATUSES_REFUSED: "reason",
    Count.ROWS_STORED: "table",
    Count.JOB_RUNS: "job",
    Count.JOB_FAILURES: "job",
    Count.CERTIFICATE_LOADS: "outcome",
    Count.CALLS_REFUSED: "reason",
}
"""What the label of a count is; the others have none."""


class Latency(StrEnum):
    """Names of durations, in seconds."""

    ACKNOWLEDGEMENT = "acknowledgement_seconds"
    HELD_BACK = "held_back_seconds"
    CALL = "call_seconds"


LATENCIES: dict[Latency, str] = {
    Latency.ACKNOWLEDGEMENT: "From a batch's arrival to its storage; refused ones are left out.",
    Latency.HELD_BACK: "How long streams were not read, because there was no room in the groups.",
    Latency.CALL: "How long queries and admin calls took; refused ones are left out.",
}
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets of every duration, in seconds."""


class Counters:
    """Monotone counts by name and label, and durations in buckets; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[Count, str], int] = {}
        self._buckets = {name: [0] * (len(BOUNDS) + 1) for name in Latency}
        self._sums = dict.fromkeys(Latency, 0.0)

    def add(self, name: Count, amount: int = 1, label: str = "") -> None:
        """Count `amount` more."""
        with self._lock:
            self._counts[name, label] = self._counts.get((name, label), 0) + amount

    def get(self, name: Count, label: str | None = None) -> int:
        """The count of one label, or of all labels together."""
        with self._lock:
            if label is not None:
                return self._counts.get((name, label), 0)
            return sum(value for (counted, _), value in self._counts.items() if counted == name)

    def snapshot(self) -> dict[tuple[Count, str], int]:
        """All counts at this moment."""
        with self._lock:
            return dict(self._counts)

    def took(self, name: Latency, *durations: float) -> None:
        """Count durations, in seconds."""
        with self._lock:
            buckets = self._buckets[name]
            for seconds in durations:
                buckets[bisect_left(BOUNDS, seconds)] += 1
            self._sums[name] += sum(durations)

    def durations(self) -> dict[Latency, tuple[list[int], float]]:
        """Of every duration: how many were within each bound, and how many in all; their sum in seconds."""
        with self._lock:
            return {name: (list(accumulate(self._buckets[name])), self._sums[name]) for name in Latency}
