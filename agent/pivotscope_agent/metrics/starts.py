"""Since when a cumulative value counts: memory of one page over its scrapes."""

from dataclasses import dataclass

from pivotscope.profile.metric import MetricKind, MetricPoint, MetricSeries

from pivotscope_agent.metrics.mapping import Value
from pivotscope_agent.metrics.source import Source

_FORGET_AFTER_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class _Seen:
    start_unix_ns: int
    value: float
    count: int
    unix_ns: int
    identities: frozenset[tuple[int, int]]


class Starts:
    """Turns a page's values into points.

    A value counts since the time that the page gives for it, else since its process began (the oldest, where several
    share the page). When it went back it began anew after the last scrape: it counts since then.
    """

    def __init__(self) -> None:
        self._seen: dict[MetricSeries, _Seen] = {}

    def point(self, value: Value, source: Source, now_unix_ns: int) -> MetricPoint:
        """The point of a value read at `now_unix_ns`."""
        start = min(self._start(value, source), now_unix_ns)
        self._seen[value.series] = _Seen(start, value.value, value.count, now_unix_ns, source.identities)
        return MetricPoint(value.series, now_unix_ns, start, value.value, value.count, value.buckets)

    def tidy(self, now_unix_ns: int) -> None:
        """Forget series that the page has not shown for an hour."""
        limit = now_unix_ns - _FORGET_AFTER_NS
        self._seen = {series: seen for series, seen in self._seen.items() if seen.unix_ns >= limit}

    def _start(self, value: Value, source: Source) -> int:
        seen = self._seen.get(value.series)
        if seen is not None and value.series.kind is not MetricKind.GAUGE and _went_back(value, seen):
            newer = max(value.created_unix_ns, source.started_unix_ns if len(source.processes) == 1 else 0)
            return newer if newer > seen.start_unix_ns else seen.unix_ns
        if value.created_unix_ns:
            return value.created_unix_ns
        if seen is not None and (len(source.processes) > 1 or seen.identities == source.identities):
            return seen.start_unix_ns
        return source.started_unix_ns


def _went_back(value: Value, seen: _Seen) -> bool:
    # The sum of a histogram may go back by itself: observations can be negative. Its count cannot.
    if value.series.kind is MetricKind.HISTOGRAM:
        return value.count < seen.count
    return value.value < seen.value
