"""A report as a Prometheus page. Pure: every name, kind and meaning is that of the table."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pivotscope_agent.telemetry.report import Report
from pivotscope_agent.telemetry.table import PREFIX, TABLE, Count, Gauge, Kind

Value = tuple[Count | Gauge, tuple[str, ...], float]


def page(report: Report) -> bytes:
    """The text that a scraper gets."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Page(report))
    return generate_latest(registry)


def values(report: Report) -> Iterator[Value]:
    """Every value of a report: its metric, its labels' values, and the number in the metric's own unit."""
    for (name, labels), count in report.counts.items():
        yield name, labels if TABLE[name].labels else (), float(count)
    tools = report.tools
    yield Gauge.INFO, (report.version, tools.get("py-spy", ""), tools.get("rbspy", "")), 1.0
    yield Gauge.STARTED, (), report.started_unix_ns / 1e9
    yield Gauge.CPU, (), report.usage.cpu_ns / 1e9
    yield Gauge.CHILDREN_CPU, (), report.usage.children_cpu_ns / 1e9
    yield Gauge.RESIDENT, (), report.usage.resident_bytes
    yield from _pipeline(report)
    yield from _targets(report)


def _pipeline(report: Report) -> Iterator[Value]:
    spool, stream = report.spool, report.stream
    yield Gauge.SPOOL_BYTES, (), spool.size_bytes
    yield Gauge.SPOOL_RECORDS, (), spool.records
    yield Gauge.SPOOL_AGE, (), spool.oldest_age_s
    yield Gauge.SPOOL_ON_DISK, (), float(spool.on_disk)
    yield Gauge.STREAM, (stream.state,), 1.0
    yield Gauge.STREAM_SINCE, (), stream.since_unix_ns / 1e9
    if stream.acknowledged_unix_ns:
        yield Gauge.LAST_ACK_AGE, (), max(0, report.sent_unix_ns - stream.acknowledged_unix_ns) / 1e9
    yield Gauge.IN_FLIGHT, (), stream.in_flight
    yield Gauge.CLOCK_OFFSET, (), stream.clock_offset_ns / 1e9


def _targets(report: Report) -> Iterator[Value]:
    governor = report.governor
    yield Gauge.CPU_BUDGET, (), governor.cpu_budget
    yield Gauge.CPU_USED, (), governor.cpu_used
    yield Gauge.SCALE, (), governor.scale
    if governor.stop_budget is not None:
        yield Gauge.STOP_BUDGET, (), governor.stop_budget
    for state, count in report.states.items():
        yield Gauge.TARGETS, (state,), count
    for target in report.told:
        labels = (target.process.service, target.process.instance, str(target.process.pid))
        yield Gauge.TARGET_RATE, labels, target.rate_hz
        yield Gauge.TARGET_CORES, labels, target.sampler_cores
        for mode, cpu_ns in target.sampler_cpu_ns.items():
            yield Gauge.TARGET_CPU, (*labels, mode), cpu_ns / 1e9
        if target.stopped_ratio is not None:
            yield Gauge.TARGET_STOPPED, labels, target.stopped_ratio


class _Page(Collector):
    def __init__(self, report: Report) -> None:
        self._report = report

    def collect(self) -> Iterator[Metric]:
        families: dict[Count | Gauge, CounterMetricFamily | GaugeMetricFamily] = {}
        for name, labels, value in values(self._report):
            if name not in families:
                entry = TABLE[name]
                kind = CounterMetricFamily if entry.kind is Kind.COUNTER else GaugeMetricFamily
                families[name] = kind(f"{PREFIX}{name}", entry.meaning, labels=entry.labels)
            families[name].add_metric(labels, value)
        yield from families.values()
