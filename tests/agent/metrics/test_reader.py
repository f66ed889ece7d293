import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle
from pathlib import Path

import pytest
from pivotscope.profile.metric import MetricPoint, MetricRole
from pivotscope.profile.window import Process
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.metrics.config import EndpointRule, MetricsSettings, SeriesRule
from pivotscope_agent.metrics.network import NetworkMeter
from pivotscope_agent.metrics.prefork import PROBES
from pivotscope_agent.metrics.reader import NETWORK_S, MetricsReader
from pivotscope_agent.metrics.scrape import Page, ScrapeError
from pivotscope_agent.telemetry.counters import Count, Counters

REQUESTS = SeriesRule("requests", MetricRole.REQUESTS)


def page(value: float) -> Page:
    return Page(f"# TYPE requests_total counter\nrequests_total {value}\n", "text/plain")


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def make(tmp_path: Path, counters: Counters) -> Callable[..., MetricsReader]:
    """A reader of one endpoint whose pages come from an iterator; there is no network to see."""

    def build(pages: Iterator[Page], **rule: object) -> MetricsReader:
        endpoint = EndpointRule("http://127.0.0.1:1/metrics", (REQUESTS,), **rule)  # type: ignore[arg-type]
        return MetricsReader(
            MetricsSettings((endpoint,)),
            counters=counters,
            clock=SystemClock(),
            network=NetworkMeter(tmp_path),
            fetch_page=lambda _: next(pages),
        )

    return build


def values(points: list[MetricPoint]) -> list[float]:
    return [point.value for point in points]


async def test_each_round_gives_the_points_of_the_pages(
    make: Callable[..., MetricsReader], process: Callable[..., Process], counters: Counters
) -> None:
    reader = make(iter([page(3), page(5)]))
    assert values(await reader.read([process()])) == [3]
    assert values(await reader.read([process()])) == [5]
    assert counters.get(Count.SCRAPES, "ok") == 2


class Broken:
    """An iterator of pages that has none."""

    def __iter__(self) -> "Broken":
        return self

    def __next__(self) -> Page:
        raise ScrapeError("status", "http://127.0.0.1:1/metrics: HTTP status 500, expected 200")


async def test_a_page_that_fails_is_counted_and_said_once(
    make: Callable[..., MetricsReader],
    process: Callable[..., Process],
    counters: Counters,
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = make(Broken())
    with caplog.at_level(logging.WARNING, "pivotscope_agent"):
        assert await reader.read([process()]) == []
        assert await reader.read([process()]) == []
    assert counters.get(Count.SCRAPES, "status") == 2
    assert caplog.text.count("HTTP status 500") == 1


async def test_workers_with_pages_of_their_own_are_refused_with_advice(
    make: Callable[..., MetricsReader],
    process: Callable[..., Process],
    counters: Counters,
    caplog: pytest.LogCaptureFixture,
) -> None:
    workers = [process(10), process(11)]
    reader = make(cycle([page(38), page(50), page(69)]))
    with caplog.at_level(logging.WARNING, "pivotscope_agent"):
        for _ in range(3):
            assert await reader.read(workers) == []
    assert counters.get(Count.SERIES_REFUSED, "prefork") == 3
    assert caplog.text.count("PROMETHEUS_MULTIPROC_DIR") == 1


async def test_the_first_answer_of_another_worker_is_not_taken(
    make: Callable[..., MetricsReader], process: Callable[..., Process], counters: Counters
) -> None:
    """One worker answered all probes; the other has counted more, so that nothing ever went back."""

    def answer(value: float, created: float) -> Page:
        text = f"# TYPE requests counter\nrequests_total {value}\nrequests_created {created}\n# EOF\n"
        return Page(text, "application/openmetrics-text")

    workers = [process(10), process(11)]
    pages = [*(answer(38 + number, 5.0) for number in range(PROBES)), answer(500, 7.0), answer(600, 7.0)]
    reader = make(iter(pages))
    assert values(await reader.read(workers)) == [37 + PROBES]
    assert await reader.read(workers) == []
    assert await reader.read(workers) == []
    assert counters.get(Count.SERIES_REFUSED, "prefork") == 2


class Paced:
    """A clock on which reading takes a second; it ends the reader after some rounds."""

    def __init__(self, rounds: int) -> None:
        self.slept: list[float] = []
        self._rounds = rounds
        self._now_ns = 0

    def monotonic_ns(self) -> int:
        self._now_ns += 1_000_000_000
        return self._now_ns

    def unix_ns(self) -> int:
        return self._now_ns

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == self._rounds:
            raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("rules", "interval_s", "between_s"), [((), 5.0, NETWORK_S), ((), 60.0, 60.0), ((REQUESTS,), 5.0, 5.0)]
)
async def test_the_network_alone_is_read_seldom(
    tmp_path: Path, rules: tuple[SeriesRule, ...], interval_s: float, between_s: float
) -> None:
    clock = Paced(3)
    endpoints = tuple(EndpointRule("http://127.0.0.1:1/metrics", (rule,)) for rule in rules)
    settings = MetricsSettings(endpoints, interval_seconds=interval_s)
    reader = MetricsReader(settings, counters=Counters(), clock=clock, network=NetworkMeter(tmp_path))
    rounds = 0

    def offer(points: Iterable[MetricPoint]) -> None:
        nonlocal rounds
        rounds += 1
        assert list(points) == []

    with pytest.raises(asyncio.CancelledError):
        await reader.run(lambda: (), offer)
    assert rounds == len(clock.slept)
    # A round and the time that it takes are a period together.
    assert all(between_s - 3.0 <= slept < between_s for slept in clock.slept)


async def test_a_shared_registry_passes_the_probe(
    make: Callable[..., MetricsReader], process: Callable[..., Process]
) -> None:
    reader = make(page(number) for number in range(100))
    assert len(await reader.read([process(10), process(11)])) == 1


async def test_a_page_declared_as_a_sum_is_read_once(
    make: Callable[..., MetricsReader], process: Callable[..., Process]
) -> None:
    reader = make(iter([page(3)]), aggregated=True)
    assert values(await reader.read([process(10), process(11)])) == [3]
