import re
from collections.abc import Callable

import pytest
from pivotscope.profile.metric import MetricKind, MetricRole
from pivotscope_agent.metrics.config import SeriesRule
from pivotscope_agent.metrics.mapping import Mapped, map_page
from pivotscope_agent.metrics.page import PageError, families
from pivotscope_agent.metrics.source import Source
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4"


def read(source: Source, text: str, content_type: str = TEXT) -> Mapped:
    names = {rule.family for rule in source.rule.series}
    return map_page(families(text, content_type, names), source)


@pytest.fixture(params=[TEXT, OPENMETRICS], ids=["text", "openmetrics"])
def page(request: pytest.FixtureRequest) -> Callable[[CollectorRegistry], tuple[str, str]]:
    """Expose a registry in either format."""

    def expose(registry: CollectorRegistry) -> tuple[str, str]:
        generate = generate_latest if request.param == TEXT else generate_openmetrics
        return generate(registry).decode(), request.param

    return expose


def test_a_counter_with_its_creation_time(
    source: Callable[..., Source], page: Callable[[CollectorRegistry], tuple[str, str]]
) -> None:
    registry = CollectorRegistry()
    counter = Counter("requests", "r", ["variant", "path"], registry=registry)
    counter.labels("old", "/a").inc(3)
    counter.labels("old", "/b").inc(4)
    counter.labels("new", "/a").inc(5)
    rule = SeriesRule("requests_total", MetricRole.REQUESTS)
    mapped = read(source(rule, variant_label="variant"), *page(registry))
    found = {value.series.variant: value for value in mapped.values}
    assert {variant: value.value for variant, value in found.items()} == {"old": 7, "new": 5}
    assert found["old"].series.name == "requests_total"
    assert found["old"].series.kind is MetricKind.COUNTER
    assert found["old"].series.labels == ()
    assert found["old"].created_unix_ns > 1_600_000_000_000_000_000


def test_a_histogram_becomes_counts_per_bucket(
    source: Callable[..., Source], page: Callable[[CollectorRegistry], tuple[str, str]]
) -> None:
    registry = CollectorRegistry()
    histogram = Histogram("seconds", "s", ["method"], buckets=(0.1, 1), registry=registry)
    for seconds in (0.05, 0.06, 0.5, 3):
        histogram.labels("GET").observe(seconds)
    rule = SeriesRule("seconds", MetricRole.LATENCY, "seconds", labels=("method",))
    (value,) = read(source(rule), *page(registry)).values
    assert value.buckets == (2, 1, 1)
    assert value.count == 4
    assert value.value == pytest.approx(3.61)
    assert value.series.bounds == (0.1, 1.0)
    assert value.series.labels == (("method", "GET"),)


def test_a_summary_is_a_histogram_of_one_bucket(
    source: Callable[..., Source], page: Callable[[CollectorRegistry], tuple[str, str]]
) -> None:
    registry = CollectorRegistry()
    Summary("seconds", "s", registry=registry).observe(2)
    (value,) = read(source(SeriesRule("seconds", MetricRole.LATENCY)), *page(registry)).values
    assert (value.value, value.count, value.buckets, value.series.bounds) == (2.0, 1, (1,), ())


def test_a_gauge(source: Callable[..., Source], page: Callable[[CollectorRegistry], tuple[str, str]]) -> None:
    registry = CollectorRegistry()
    Gauge("sessions", "s", registry=registry).set(17)
    (value,) = read(source(SeriesRule("sessions", MetricRole.ENGAGEMENT)), *page(registry)).values
    assert (value.value, value.series.kind, value.created_unix_ns) == (17, MetricKind.GAUGE, 0)


def test_a_match_takes_a_part_of_a_metric(source: Callable[..., Source]) -> None:
    text = (
        "# TYPE requests_total counter\n"
        'requests_total{status="200"} 90\nrequests_total{status="500"} 4\nrequests_total{status="503"} 2\n'
    )
    everything = SeriesRule("requests", MetricRole.REQUESTS)
    errors = SeriesRule("requests", MetricRole.ERRORS, match=(("status", re.compile("5..")),))
    values = read(source(everything, errors), text).values
    assert {value.series.role: value.value for value in values} == {MetricRole.REQUESTS: 96, MetricRole.ERRORS: 6}
    assert len({value.series.name for value in values}) == 2


def test_a_version_label_names_the_series_version(source: Callable[..., Source]) -> None:
    text = '# TYPE requests_total counter\nrequests_total{release="7"} 1\n'
    (value,) = read(source(version_label="release"), text).values
    assert value.series.version == "7"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("requests 3\n", "untyped"),
        ("# TYPE requests_total counter\nrequests_total NaN\n", "not_a_number"),
        ("# TYPE requests_total counter\nrequests_total -1\n", "contradictory"),
        ('# TYPE requests histogram\nrequests_bucket{le="1"} 5\nrequests_bucket{le="+Inf"} 3\n', "contradictory"),
    ],
)
def test_a_series_that_cannot_be_right_is_refused(source: Callable[..., Source], text: str, reason: str) -> None:
    mapped = read(source(), text)
    assert mapped.values == ()
    assert mapped.refused == (reason,)


def test_other_metrics_are_not_even_parsed(source: Callable[..., Source]) -> None:
    text = "this line is { broken\nrequests_of_another_kind 4\n# TYPE requests_total counter\nrequests_total 1\n"
    assert [value.value for value in read(source(), text).values] == [1]


def test_the_answering_processs_start_is_read(source: Callable[..., Source]) -> None:
    text = "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1.7e+09\n"
    assert read(source(), text).process_start_s == 1.7e9
    assert read(source(), "").process_start_s is None


@pytest.mark.parametrize("content_type", [TEXT, OPENMETRICS])
def test_a_broken_page_is_an_error(source: Callable[..., Source], content_type: str) -> None:
    with pytest.raises(PageError, match="not "):
        read(source(), '# TYPE requests_total counter\nrequests_total{a="b} x\n', content_type)
