"""Families of a page to values of series. Pure and without memory."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pivotscope.profile.metric import MetricKind, MetricSeries

from pivotscope_agent.metrics.config import SeriesRule
from pivotscope_agent.metrics.page import PROCESS_START
from pivotscope_agent.metrics.source import Source

if TYPE_CHECKING:
    from prometheus_client import Metric
    from prometheus_client.samples import Sample

_KINDS = {
    "counter": MetricKind.COUNTER,
    "gauge": MetricKind.GAUGE,
    "histogram": MetricKind.HISTOGRAM,
    # A summary has no buckets that can be added up: its sum and count are a histogram with one bucket.
    "summary": MetricKind.HISTOGRAM,
}


@dataclass(frozen=True, slots=True)
class Value:
    """What a page said of a series. `created_unix_ns` is 0 where it did not say since when."""

    series: MetricSeries
    value: float
    count: int = 0
    buckets: tuple[int, ...] = ()
    created_unix_ns: int = 0


@dataclass(frozen=True, slots=True)
class Mapped:
    """Values of a page, the reasons for which series were left out, and the start of the answering process.

    `process_start_s` is None where the page does not tell, as it does not when it sums up several workers.
    """

    values: tuple[Value, ...]
    refused: tuple[str, ...] = ()
    process_start_s: float | None = None


@dataclass(slots=True)
class _Group:
    """Samples of one resulting series: one label set, or several that differ in labels that are not kept."""

    value: float = 0.0
    count: float = 0.0
    cumulative: dict[float, float] = field(default_factory=dict)
    created: float = 0.0


def map_page(families: "Iterable[Metric]", source: Source) -> Mapped:
    """Values of the series that the source's rule asks for.

    Labels that a rule does not keep are summed over (gauges too). Bucket counts are made per bucket from the
    cumulative ones. A series that is not a number, a counter
    below zero, and buckets that contradict each other are refused.
    """
    values: list[Value] = []
    refused: list[str] = []
    start: float | None = None
    metrics = list(families)
    created = _separate_created(metrics)
    for family in metrics:
        if family.name == PROCESS_START and family.samples:
            start = family.samples[0].value
        for rule in source.rule.series:
            if rule.family != family.name.removesuffix("_total"):
                continue
            kind = _KINDS.get(family.type)
            if kind is None:
                refused.append("untyped")
                continue
            for labels, group in _groups([*family.samples, *created.get(family.name, ())], rule, source).items():
                value = _value(_series(rule, source, kind, labels), group)
                if value is None:
                    refused.append("contradictory" if math.isfinite(group.value) else "not_a_number")
                else:
                    values.append(value)
    return Mapped(tuple(values), tuple(refused), start)


def _separate_created(metrics: "Sequence[Metric]") -> "dict[str, list[Sample]]":
    """The text format has creation times as gauges of their own, OpenMetrics in the family."""
    return {
        family.name.removesuffix("_created"): family.samples for family in metrics if family.name.endswith("_created")
    }


def _groups(samples: "Iterable[Sample]", rule: SeriesRule, source: Source) -> dict[tuple[tuple[str, str], ...], _Group]:
    kept = {*rule.labels, source.rule.variant_label, source.rule.version_label} - {""}
    groups: dict[tuple[tuple[str, str], ...], _Group] = {}
    for sample in samples:
        if not all(pattern.fullmatch(sample.labels.get(label, "")) for label, pattern in rule.match):
            continue
        labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name in kept))
        group = groups.setdefault(labels, _Group())
        if sample.name.endswith("_bucket") and "le" in sample.labels:
            bound = float(sample.labels["le"])
            group.cumulative[bound] = group.cumulative.get(bound, 0.0) + sample.value
        elif sample.name.endswith("_created"):
            # Of several that are summed the oldest: new label values appear without the sum beginning anew.
            group.created = min(group.created or sample.value, sample.value)
        elif sample.name.endswith("_count"):
            group.count += sample.value
        elif "quantile" not in sample.labels:
            group.value += sample.value
    return groups


def _series(rule: SeriesRule, source: Source, kind: MetricKind, labels: tuple[tuple[str, str], ...]) -> MetricSeries:
    by_name = dict(labels)
    variant = by_name.pop(source.rule.variant_label, source.variant)
    version = by_name.pop(source.rule.version_label, source.version)
    return MetricSeries(
        service=source.service,
        environment=source.environment,
        version=version,
        variant=variant,
        instance=source.instance,
        name=rule.selector,
        kind=kind,
        role=rule.role,
        unit=rule.unit,
        labels=tuple(sorted(by_name.items())),
    )


def _value(series: MetricSeries, group: _Group) -> Value | None:
    """A value, or None for one that cannot be right. Formats allow NaN and infinities; a sum with one is useless."""
    if not math.isfinite(group.value) or not math.isfinite(group.count):
        return None
    if series.kind is MetricKind.COUNTER and group.value < 0:
        return None
    created = int(group.created * 1e9) if math.isfinite(group.created) else 0
    if series.kind is not MetricKind.HISTOGRAM:
        return Value(series, group.value, created_unix_ns=created)
    bounds = tuple(sorted(bound for bound in group.cumulative if not math.isinf(bound)))
    cumulative = [group.cumulative[bound] for bound in bounds]
    total = group.cumulative.get(math.inf, group.count)
    buckets = [upper - lower for lower, upper in zip([0.0, *cumulative], [*cumulative, total], strict=True)]
    if any(map(math.isnan, bounds)) or not all(math.isfinite(one) and one >= 0 for one in buckets):
        return None
    whole = MetricSeries(
        series.service, series.environment, series.version, series.variant, series.instance, series.name,
        series.kind, series.role, series.unit, series.labels, bounds,
    )  # fmt: skip
    counts = tuple(int(one) for one in buckets)
    return Value(whole, group.value, sum(counts), counts, created)
