"""The page that a scraper gets."""

from collections.abc import Callable

from pivotscope_agent.telemetry.exposition import page, values
from pivotscope_agent.telemetry.report import MOST_TARGETS, Report, StreamReport, chosen
from pivotscope_agent.telemetry.table import PREFIX, TABLE, Count, Gauge
from prometheus_client.parser import text_string_to_metric_families

from tests.agent.telemetry.conftest import sampled, unsupported

MakeReport = Callable[..., Report]


def test_a_scraper_reads_what_the_report_says(report: MakeReport) -> None:
    families = {one.name: one for one in text_string_to_metric_families(page(report()).decode())}
    found = {
        (sample.name.removeprefix(PREFIX), *sorted(sample.labels.values())): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert found["records_sent_total",] == 5
    assert found["windows_total", "complete", "cpu_budget"] == 1
    assert found["cpu_seconds_total",] == 4
    assert found["last_acknowledgement_age_seconds",] == 2
    assert found["spool_oldest_seconds",] == 3.5
    assert found["stream", "streaming"] == 1
    assert found["stop_budget_ratio",] == 0.005
    assert found["targets", "sampling"] == found["targets", "unsupported"] == 1
    assert found["target_sampler_cpu_seconds_total", "7", "gil", "shop", "web-1"] == 0.1
    assert found["target_sampler_cores", "7", "shop", "web-1"] == 0.01
    assert found["target_stopped_ratio", "7", "shop", "web-1"] == 0.002
    assert ("target_stopped_ratio", "8", "shop", "web-1") not in found
    assert families[f"{PREFIX}windows"].documentation == TABLE[Count.WINDOWS].meaning


def test_what_was_never_acknowledged_has_no_age(report: MakeReport) -> None:
    names = {name for name, _, _ in values(report(stream=StreamReport("unreachable")))}
    assert Gauge.LAST_ACK_AGE not in names


def test_values_have_as_many_labels_as_the_table_names(report: MakeReport) -> None:
    for name, labels, _ in values(report()):
        assert len(labels) == len(TABLE[name].labels), name


def test_the_page_is_bounded(report: MakeReport) -> None:
    many = tuple(sampled(pid) for pid in range(1, 1000))
    told = chosen((*many, unsupported(5000)))
    assert len(told) == MOST_TARGETS
    assert told[0].process.pid == 5000
    text = page(report(targets=(*many, unsupported(5000)))).decode()
    assert 'targets{state="sampling"} 999.0' in text
    assert text.count("target_rate_hertz{") == MOST_TARGETS
    assert len(text) < 250_000


def test_every_gauge_has_a_value(report: MakeReport) -> None:
    assert {name for name, _, _ in values(report()) if isinstance(name, Gauge)} == set(Gauge)
