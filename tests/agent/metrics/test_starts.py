from collections.abc import Callable

import pytest
from pivotscope.profile.metric import MetricKind, MetricRole, MetricSeries
from pivotscope_agent.metrics.mapping import Value
from pivotscope_agent.metrics.source import Source
from pivotscope_agent.metrics.starts import Starts

SECOND = 1_000_000_000


def counter(value: float, created: int = 0) -> Value:
    series = MetricSeries("shop", "", "", "", "a", "requests", MetricKind.COUNTER, MetricRole.REQUESTS)
    return Value(series, value, created_unix_ns=created)


@pytest.fixture
def starts() -> Starts:
    return Starts()


def test_a_page_that_tells_is_believed(starts: Starts, source: Callable[..., Source]) -> None:
    assert starts.point(counter(5, created=7 * SECOND), source(), 9 * SECOND).start_unix_ns == 7 * SECOND


def test_without_word_a_value_counts_since_its_process_began(starts: Starts, source: Callable[..., Source]) -> None:
    assert starts.point(counter(5), source(started=3 * SECOND), 9 * SECOND).start_unix_ns == 3 * SECOND


def test_a_new_process_is_a_new_start_even_if_the_value_rose(starts: Starts, source: Callable[..., Source]) -> None:
    starts.point(counter(5), source(started=3 * SECOND), 9 * SECOND)
    point = starts.point(counter(6), source(started=10 * SECOND, first_pid=11), 12 * SECOND)
    assert point.start_unix_ns == 10 * SECOND


def test_a_value_that_went_back_counts_since_the_last_scrape(starts: Starts, source: Callable[..., Source]) -> None:
    page = source(processes=2, started=3 * SECOND)
    starts.point(counter(5), page, 9 * SECOND)
    assert starts.point(counter(2), page, 12 * SECOND).start_unix_ns == 9 * SECOND
    assert starts.point(counter(4), page, 15 * SECOND).start_unix_ns == 9 * SECOND


def test_workers_that_come_and_go_do_not_start_a_shared_value_anew(
    starts: Starts, source: Callable[..., Source]
) -> None:
    starts.point(counter(5), source(processes=2, started=3 * SECOND), 9 * SECOND)
    later = starts.point(counter(6), source(processes=2, started=8 * SECOND, first_pid=20), 12 * SECOND)
    assert later.start_unix_ns == 3 * SECOND


def test_a_start_is_never_in_the_future(starts: Starts, source: Callable[..., Source]) -> None:
    assert starts.point(counter(5, created=99 * SECOND), source(), 9 * SECOND).start_unix_ns == 9 * SECOND


def test_a_histograms_sum_may_fall(starts: Starts, source: Callable[..., Source]) -> None:
    series = MetricSeries("shop", "", "", "", "a", "delta", MetricKind.HISTOGRAM, MetricRole.OTHER)
    page = source(processes=2)
    starts.point(Value(series, 5.0, 3, (3,)), page, 9 * SECOND)
    assert starts.point(Value(series, 4.0, 4, (4,)), page, 12 * SECOND).start_unix_ns == page.started_unix_ns


def test_series_not_seen_for_an_hour_are_forgotten(starts: Starts, source: Callable[..., Source]) -> None:
    starts.point(counter(5), source(), 9 * SECOND)
    starts.tidy(9 * SECOND + 3_601 * SECOND)
    assert not starts._seen
