"""Series of the application's own metrics."""

from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """How values of a series are to be read."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class MetricRole(StrEnum):
    """What a series means for a decision; the agent's configuration maps the application's names."""

    LATENCY = "latency"
    REQUESTS = "requests"
    ERRORS = "errors"
    VALIDATIONS = "validations"
    VALIDATION_FAILURES = "validation_failures"
    REVENUE = "revenue"
    ENGAGEMENT = "engagement"
    NETWORK_RECEIVED = "network_received"
    NETWORK_SENT = "network_sent"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """A series: what it is, and whose. `labels` are sorted pairs; `bounds` ascend, +Inf left out."""

    service: str
    environment: str
    version: str
    variant: str
    instance: str
    name: str
    kind: MetricKind
    role: MetricRole
    unit: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    bounds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """A value of a series, cumulative since `start_unix_ns` for counters and histograms.

    For a histogram `value` is the sum of the observations and `buckets` holds one count a bucket (not
    cumulative over buckets), one more than the bounds.
    """

    series: MetricSeries
    unix_ns: int
    start_unix_ns: int
    value: float
    count: int = 0
    buckets: tuple[int, ...] = ()
