"""Every metric of the agent's own: name, kind, meaning, labels. /metrics, the collector and the documents follow it."""

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "pivotscope_agent_"
"""What a name begins with where it is exposed."""


class Kind(StrEnum):
    """How values of a metric relate to each other over time."""

    COUNTER = "counter"
    GAUGE = "gauge"


class Count(StrEnum):
    """Counters since the start of the agent, by reason; each adds up what happened to records, windows and pages.

    Drops count over restarts, since the spool's folder was first used.
    """

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
    WINDOWS = "windows"
    SAMPLER_CPU = "sampler_cpu_nanoseconds"
    COMMANDS = "commands"
    RESTARTS = "part_restarts"


class Gauge(StrEnum):
    """Values that stand at a moment, and counters of one target that end with it."""

    INFO = "info"
    STARTED = "start_time_seconds"
    CPU = "cpu_seconds"
    CHILDREN_CPU = "children_cpu_seconds"
    RESIDENT = "resident_bytes"
    SPOOL_BYTES = "spool_bytes"
    SPOOL_RECORDS = "spool_records"
    SPOOL_AGE = "spool_oldest_seconds"
    SPOOL_ON_DISK = "spool_on_disk"
    STREAM = "stream"
    STREAM_SINCE = "stream_since_time_seconds"
    LAST_ACK_AGE = "last_acknowledgement_age_seconds"
    IN_FLIGHT = "records_in_flight"
    CLOCK_OFFSET = "clock_offset_seconds"
    CPU_BUDGET = "cpu_budget_cores"
    CPU_USED = "cpu_used_cores"
    STOP_BUDGET = "stop_budget_ratio"
    SCALE = "governor_scale"
    TARGETS = "targets"
    TARGET_RATE = "target_rate_hertz"
    TARGET_CPU = "target_sampler_cpu_seconds"
    TARGET_CORES = "target_sampler_cores"
    TARGET_STOPPED = "target_stopped_ratio"


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the table. Labels are named in the order in which values of them are given."""

    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()


_REASON = ("reason",)
_TARGET = ("service", "instance", "pid")


def _counter(meaning: str, labels: tuple[str, ...] = ()) -> Metric:
    return Metric(Kind.COUNTER, meaning, labels)


def _gauge(meaning: str, labels: tuple[str, ...] = ()) -> Metric:
    return Metric(Kind.GAUGE, meaning, labels)


TABLE: dict[Count | Gauge, Metric] = {
    Count.RECORDS_SPOOLED: _counter("Records accepted by the spool, on disk or in memory.", ("where",)),
    Count.RECORDS_SENT: _counter("Records written to a stream, repetitions included."),
    Count.RECORDS_ACKNOWLEDGED: _counter("Records that the collector stored."),
    Count.RECORDS_REJECTED: _counter("Rejections by the collector; retryable ones are sent again.", _REASON),
    Count.RECORDS_DROPPED: _counter("Records given up before they were acknowledged.", _REASON),
    Count.ITEMS_DROPPED: _counter("Windows, points and facts given up alone, before or in a record.", _REASON),
    Count.SPOOL_ERRORS: _counter("Failed operations on the spool's folder, by the system's error.", ("error",)),
    Count.CONNECTIONS: _counter("Streams that the collector welcomed."),
    Count.CONNECTION_FAILURES: _counter("Streams that failed or broke, by gRPC status.", ("status",)),
    Count.SCRAPES: _counter("Reads of an application's metrics page.", ("outcome",)),
    Count.SERIES_REFUSED: _counter("Series of applications that were not passed on.", _REASON),
    Count.WINDOWS: _counter("Windows of targets, by how they ended and why.", ("outcome", "reason")),
    Count.SAMPLER_CPU: _counter("CPU of samplers that have ended.", ("mode",)),
    Count.COMMANDS: _counter("Wishes of the collector.", ("command",)),
    Count.RESTARTS: _counter("Times a part of the agent failed and began again.", ("part",)),
    Gauge.INFO: _gauge("Always 1; the version of the agent and its samplers.", ("version", "py_spy", "rbspy")),
    Gauge.STARTED: _gauge("When the agent started, in unix seconds."),
    Gauge.CPU: _counter("CPU of the agent itself, without its samplers."),
    Gauge.CHILDREN_CPU: _counter("CPU of the agent's children that have ended: samplers and readers of source."),
    Gauge.RESIDENT: _gauge("Memory that the agent itself holds."),
    Gauge.SPOOL_BYTES: _gauge("Bytes that wait for the collector."),
    Gauge.SPOOL_RECORDS: _gauge("Records that wait for the collector."),
    Gauge.SPOOL_AGE: _gauge("Age of the oldest record that waits, 0 where none does."),
    Gauge.SPOOL_ON_DISK: _gauge("1 while records survive the end of the agent, 0 while memory stands in for the disk."),
    Gauge.STREAM: _gauge("1 for the state that the stream to the collector is in.", ("state",)),
    Gauge.STREAM_SINCE: _gauge("Since when the stream is in this state, in unix seconds."),
    Gauge.LAST_ACK_AGE: _gauge("Time since the collector last said that a record is stored; none before the first."),
    Gauge.IN_FLIGHT: _gauge("Records sent and not acknowledged."),
    Gauge.CLOCK_OFFSET: _gauge("The collector's clock minus the agent's, as last measured."),
    Gauge.CPU_BUDGET: _gauge("CPU that the settings allow, in cores."),
    Gauge.CPU_USED: _gauge("CPU that the governor counts against the budget now, in cores."),
    Gauge.STOP_BUDGET: _gauge("Part of the time for which a target may be stopped; none where it is not bounded."),
    Gauge.SCALE: _gauge("What the governor leaves of the sampling that was asked for, 0 to 1."),
    Gauge.TARGETS: _gauge("Selected processes, by state.", ("state",)),
    Gauge.TARGET_RATE: _gauge("Rate of a target's newest window with a sampler.", _TARGET),
    Gauge.TARGET_CPU: _counter("CPU of a target's samplers, by mode.", (*_TARGET, "mode")),
    Gauge.TARGET_CORES: _gauge("CPU of a target's samplers of late, in cores.", _TARGET),
    Gauge.TARGET_STOPPED: _gauge("Part of the time for which a target was stopped by its samplers.", _TARGET),
}
"""What each name stands for. A reason is a short code, never free text."""
