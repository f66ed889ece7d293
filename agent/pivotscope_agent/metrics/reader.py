"""Reading all configured pages, and the network, at a steady pace."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pivotscope.profile.metric import MetricPoint
from pivotscope.profile.window import Process

from pivotscope_agent.clock import Clock
from pivotscope_agent.metrics.config import MetricsSettings
from pivotscope_agent.metrics.mapping import Mapped, map_page
from pivotscope_agent.metrics.network import NetworkMeter
from pivotscope_agent.metrics.page import PageError, families
from pivotscope_agent.metrics.prefork import ADVICE, PROBES, PreforkDetector
from pivotscope_agent.metrics.scrape import Page, ScrapeError, fetch
from pivotscope_agent.metrics.source import Source, resolve
from pivotscope_agent.metrics.starts import Starts
from pivotscope_agent.telemetry.counters import Count, Counters

log = logging.getLogger(__name__)

NETWORK_S = 15.0
"""Time between two readings of the network, where nothing else is read: as long as a window."""

Fetch = Callable[[str], Page]


@dataclass(slots=True)
class _Memory:
    starts: Starts = field(default_factory=Starts)
    detector: PreforkDetector = field(default_factory=PreforkDetector)
    complaint: str = ""


class MetricsReader:
    """Scrapes the pages of the running processes and turns them into points. One page's failure is no other's."""

    def __init__(
        self,
        settings: MetricsSettings,
        *,
        counters: Counters,
        clock: Clock,
        network: NetworkMeter | None = None,
        fetch_page: Fetch | None = None,
    ) -> None:
        self._settings = settings
        self._counters = counters
        self._clock = clock
        self._network = network or NetworkMeter()
        self._fetch = fetch_page or self._fetch_over_http
        self._memories: dict[tuple[str, str, str, int], _Memory] = {}

    async def run(
        self, processes: Callable[[], Iterable[Process]], offer: Callable[[Iterable[MetricPoint]], None]
    ) -> None:
        """Read until cancelled, every `interval_seconds`, and hand each round's points over.

        Where no page is configured, the network's counters alone are read, which lose nothing by being read seldom.
        """
        pages = self._settings.interval_seconds
        seconds = pages if self._settings.endpoints else max(pages, NETWORK_S)
        while True:
            began = self._clock.monotonic_ns()
            offer(await self.read(processes()))
            spent = (self._clock.monotonic_ns() - began) / 1e9
            await self._clock.sleep(max(seconds - spent, 0.1))

    async def read(self, processes: Iterable[Process]) -> list[MetricPoint]:
        """One round: every page once, one behind the other, and the network. Never raises for what a page does."""
        known = tuple(processes)
        sources = resolve(self._settings.endpoints, known)
        self._memories = {key: self._memories.get(key) or _Memory() for key in map(self._key, sources)}
        points: list[MetricPoint] = []
        for source in sources:
            points += await asyncio.to_thread(self._read_source, source)
        return points + await asyncio.to_thread(self._network.read, known, self._clock.unix_ns())

    def _key(self, source: Source) -> tuple[str, str, str, int]:
        return source.url, source.service, source.environment, self._settings.endpoints.index(source.rule)

    def _read_source(self, source: Source) -> list[MetricPoint]:
        memory = self._memories[self._key(source)]
        try:
            page, problem = self._judged(source, memory.detector)
            if not problem and memory.detector.needs_probing(source, page):
                for _ in range(PROBES - 1):
                    page, problem = self._judged(source, memory.detector)
                memory.detector.probed(source)
            now = self._clock.unix_ns()
        except (ScrapeError, PageError) as error:
            self._counters.add(Count.SCRAPES, error.reason if isinstance(error, ScrapeError) else "malformed")
            self._complain(memory, str(error))
            return []
        if problem:
            self._counters.add(Count.SERIES_REFUSED, "prefork", len(page.values))
            self._complain(memory, f"{source.url}: {problem}; its series are left out. To have them, {ADVICE}")
            return []
        self._counters.add(Count.SCRAPES, "ok")
        for reason in page.refused:
            self._counters.add(Count.SERIES_REFUSED, reason)
        self._complain(memory, "")
        memory.starts.tidy(now)
        return [memory.starts.point(value, source, now) for value in page.values]

    def _judged(self, source: Source, detector: PreforkDetector) -> tuple[Mapped, str]:
        """The page as it is now, and what is wrong with it."""
        asked = self._clock.unix_ns()
        page = self._scrape(source)
        return page, detector.judge(source, page, asked)

    def _scrape(self, source: Source) -> Mapped:
        page = self._fetch(source.url)
        names = {rule.family for rule in source.rule.series}
        return map_page(families(page.text, page.content_type, names), source)

    def _fetch_over_http(self, url: str) -> Page:
        return fetch(url, timeout_s=self._settings.timeout_seconds, max_bytes=self._settings.max_bytes)

    @staticmethod
    def _complain(memory: _Memory, complaint: str) -> None:
        """Log what is new, once."""
        if complaint and complaint != memory.complaint:
            log.warning("metrics: %s", complaint)
        memory.complaint = complaint
