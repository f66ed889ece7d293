"""The service's metrics; `variant` says which implementation served a request."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

BUCKETS = (
    0.001,
    0.0015,
    0.002,
    0.0025,
    0.003,
    0.0035,
    0.004,
    0.0045,
    0.005,
    0.006,
    0.007,
    0.008,
    0.01,
    0.015,
    0.02,
    0.03,
    0.05,
    0.1,
    0.25,
    1.0,
)

LATENCY = Histogram("shop_report_seconds", "Time to answer a report request.", ["variant"], buckets=BUCKETS)
REQUESTS = Counter("shop_reports", "Report requests answered.", ["variant"])
ERRORS = Counter("shop_report_errors", "Requests in which the meant implementation failed.", ["variant"])
VALIDATIONS = Counter("shop_validations", "Results checked against the legacy code.", ["variant"])
VALIDATION_FAILURES = Counter("shop_validation_failures", "Results that differed from the legacy code.", ["variant"])
REVENUE = Counter("shop_revenue_dollars", "Turnover of the orders that followed a report.", ["variant"])
ENGAGEMENT = Counter("shop_orders", "Orders that followed a report.", ["variant"])

for variant in ("legacy", "vessel"):
    for counter in (REQUESTS, ERRORS, REVENUE, ENGAGEMENT):
        counter.labels(variant)
VALIDATIONS.labels("vessel")
VALIDATION_FAILURES.labels("vessel")


def exposition():
    """Metrics of all worker processes together, as text."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)
