"""Recognising pages that another worker answers each time.

A forking server without a shared registry lets any worker answer. Its counters then jump between the
workers' own values; differences between scrapes are meaningless, and a drop looks like a restart that never
was. What gives it away: the start time of the answering process changes, or a counter goes back, while the
processes are the same as before. Times of creation tell as much: one that goes back, and one that goes forward to a
moment at which the page was read already, and said otherwise. Where each worker made its series after the fork, no
answer of another is ever taken for a step of the first's. Where pages tell neither, or the same, chance can have one
worker answer for a while, and only counters that went back tell.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pivotscope.profile.metric import MetricKind, MetricSeries

from pivotscope_agent.metrics.mapping import Mapped, Value
from pivotscope_agent.metrics.source import Source

PROBES = 8
"""Reads in a row when a page of several processes is first seen. Over four equally likely workers under load, eight
answers never step down with a chance of 165 in 65,536."""

ADVICE = (
    "have the workers share their registry (prometheus_client: PROMETHEUS_MULTIPROC_DIR; Ruby: DirectFileStore), give "
    "each its own port ({pid} in url), or set aggregated = true where the page does sum them up"
)


@dataclass(frozen=True, slots=True)
class _Last:
    value: float
    created_unix_ns: int


class PreforkDetector:
    """Judges the scrapes of one page. Once refused, a page stays so until the processes behind it change."""

    def __init__(self) -> None:
        self._identities: frozenset[tuple[int, int]] = frozenset()
        self._probed: frozenset[tuple[int, int]] = frozenset()
        self._last: dict[MetricSeries, _Last] = {}
        self._process_start_s: float | None = None
        self._asked_unix_ns = 0
        self._refused = ""

    def needs_probing(self, source: Source, page: Mapped) -> bool:
        """Whether the page should be read `PROBES` times before its values are believed.

        While nothing was counted yet every worker says the same, and what is said does no harm.
        """
        if len(source.processes) < 2 or source.rule.aggregated or source.identities == self._probed:
            return False
        return any(_monotone(value) > 0 for value in _counting(page.values))

    def probed(self, source: Source) -> None:
        """The page was read often enough with these processes behind it."""
        self._probed = source.identities

    def judge(self, source: Source, page: Mapped, asked_unix_ns: int) -> str:
        """What is wrong with the page, for a person; empty when its values can be differenced.

        `asked_unix_ns` is when it was asked for, so before it was made.
        """
        if source.rule.aggregated:
            return ""
        if source.identities != self._identities:
            self._identities = source.identities
            self._last = {}
            self._process_start_s = None
            self._refused = ""
        if not self._refused:
            self._refused = self._contradiction(page, shared=len(source.processes) > 1)
        self._last |= {value.series: _Last(_monotone(value), value.created_unix_ns) for value in _counting(page.values)}
        self._process_start_s, self._asked_unix_ns = page.process_start_s, asked_unix_ns
        return self._refused

    def _contradiction(self, page: Mapped, *, shared: bool) -> str:
        before, now = self._process_start_s, page.process_start_s
        if before is not None and now is not None and before != now:
            return "answered by another process than before"
        for value in _counting(page.values):
            last = self._last.get(value.series)
            if last is None:
                continue
            # What began anew since the last answer did so after that was asked for.
            known = shared and 0 < last.created_unix_ns < value.created_unix_ns < self._asked_unix_ns
            if value.created_unix_ns < last.created_unix_ns or known:
                return f"{value.series.name} began at another time than it said before"
            if _monotone(value) >= last.value:
                continue
            if value.created_unix_ns <= last.created_unix_ns:
                name = value.series.name
                return f"{name} went back from {last.value:g} to {_monotone(value):g} though no process began anew"
        return ""


def _counting(values: Iterable[Value]) -> Iterable[Value]:
    return (value for value in values if value.series.kind is not MetricKind.GAUGE)


def _monotone(value: Value) -> float:
    return float(value.count) if value.series.kind is MetricKind.HISTOGRAM else value.value
