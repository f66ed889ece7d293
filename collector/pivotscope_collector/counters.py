"""What the collector counts of its own work: one typed table of names, and the counts."""

import threading
from enum import StrEnum


class Count(StrEnum):
    """Names of the collector's counters; the label of each is in MEANINGS."""

    STREAMS = "streams"
    STREAMS_REFUSED = "streams_refused"
    BATCHES_STORED = "batches_stored"
    BATCHES_REFUSED = "batches_refused"
    STATUSES_REFUSED = "statuses_refused"
    ROWS_STORED = "rows_stored"
    COMMITS = "commits"
    COMMIT_FAILURES = "commit_failures"
    COMMITS_REPEATED = "commits_repeated"
    MINUTES_ROLLED = "minutes_rolled"
    JOB_RUNS = "job_runs"
    JOB_FAILURES = "job_failures"
    CERTIFICATE_LOADS = "certificate_loads"


MEANINGS: dict[Count, str] = {
    Count.STREAMS: "Streams that were welcomed.",
    Count.STREAMS_REFUSED: "Streams that were refused, by reason.",
    Count.BATCHES_STORED: "Batches stored, repetitions included.",
    Count.BATCHES_REFUSED: "Batches refused, by reason.",
    Count.STATUSES_REFUSED: "Statuses of agents that were passed over, by reason.",
    Count.ROWS_STORED: "Rows inserted, by table.",
    Count.COMMITS: "Group commits.",
    Count.COMMIT_FAILURES: "Group commits that the store refused.",
    Count.COMMITS_REPEATED: "Group commits written again, because they took longer than the roll-up's margin.",
    Count.MINUTES_ROLLED: "Minutes rolled up, repetitions included.",
    Count.JOB_RUNS: "Scheduled jobs that ran, by job.",
    Count.JOB_FAILURES: "Scheduled jobs that failed, by job.",
    Count.CERTIFICATE_LOADS: "Changed certificate files that were taken up or refused, by outcome.",
}


class Counters:
    """Monotone counts by name and label; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[Count, str], int] = {}

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
