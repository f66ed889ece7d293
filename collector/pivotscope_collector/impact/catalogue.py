"""The metrics that a comparison reports: one table."""

from dataclasses import dataclass
from enum import StrEnum

from pivotscope.profile.metric import MetricRole


class Better(StrEnum):
    """Which way is better."""

    LOWER = "lower"
    HIGHER = "higher"


class Family(StrEnum):
    """Which statistics a metric takes."""

    QUANTILE = "quantile"
    RATIO = "ratio"
    RATE = "rate"
    PROPORTION = "proportion"
    MEAN = "mean"
    CPU = "cpu"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of a comparison.

    `role` is the metric role counted, `per` the role of the denominator (None: requests). `margin` is the
    smallest difference that matters: of the ratio about 1, or of the difference where `absolute`.
    """

    name: str
    title: str
    family: Family
    better: Better
    margin: float
    role: MetricRole | None = None
    per: MetricRole | None = None
    unit: str = ""
    quantile: float = 0.0
    absolute: bool = False
    business: bool = False


METRICS = (
    Metric("latency_p50", "Latency p50", Family.QUANTILE, Better.LOWER, 0.05, MetricRole.LATENCY, quantile=0.5),
    Metric("latency_p95", "Latency p95", Family.QUANTILE, Better.LOWER, 0.05, MetricRole.LATENCY, quantile=0.95),
    Metric("latency_p99", "Latency p99", Family.QUANTILE, Better.LOWER, 0.05, MetricRole.LATENCY, quantile=0.99),
    Metric("latency_mean", "Latency mean", Family.RATIO, Better.LOWER, 0.05, MetricRole.LATENCY),
    Metric("throughput", "Throughput", Family.RATE, Better.HIGHER, 0.05, MetricRole.REQUESTS, unit="requests/s"),
    Metric(
        "error_rate", "Error rate", Family.PROPORTION, Better.LOWER, 0.001, MetricRole.ERRORS, unit="1", absolute=True
    ),
    Metric(
        "validation_failure_rate",
        "Validation failures",
        Family.PROPORTION,
        Better.LOWER,
        0.001,
        MetricRole.VALIDATION_FAILURES,
        per=MetricRole.VALIDATIONS,
        unit="1",
        absolute=True,
    ),
    Metric("cpu_per_request", "CPU per request", Family.CPU, Better.LOWER, 0.05, unit="s"),
    Metric("function_cpu_per_request", "Function CPU per request", Family.CPU, Better.LOWER, 0.05, unit="s"),
    Metric("memory_mean", "Memory a process, mean", Family.MEMORY, Better.LOWER, 0.05, unit="bytes"),
    Metric("memory_peak", "Memory a process, peak", Family.MEMORY, Better.LOWER, 0.05, unit="bytes"),
    Metric(
        "network_received_per_request",
        "Network received per request",
        Family.RATIO,
        Better.LOWER,
        0.05,
        MetricRole.NETWORK_RECEIVED,
    ),
    Metric(
        "network_sent_per_request",
        "Network sent per request",
        Family.RATIO,
        Better.LOWER,
        0.05,
        MetricRole.NETWORK_SENT,
    ),
    Metric(
        "revenue_per_request",
        "Revenue per request",
        Family.MEAN,
        Better.HIGHER,
        0.02,
        MetricRole.REVENUE,
        business=True,
    ),
    Metric(
        "engagement_per_request",
        "Engagement per request",
        Family.MEAN,
        Better.HIGHER,
        0.02,
        MetricRole.ENGAGEMENT,
        business=True,
    ),
)
"""In the order of a report."""

OPTIONAL = frozenset({MetricRole.NETWORK_RECEIVED, MetricRole.NETWORK_SENT})
"""Roles whose absence is no news."""
