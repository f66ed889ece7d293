"""Counters and gauges as a Prometheus page, format 0.0.4. Pure."""

from collections.abc import Iterator

from pivotscope_collector.counters import BOUNDS, LABELS, LATENCIES, MEANINGS, Count, Counters
from pivotscope_collector.gauges import GAUGES, Gauges

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "pivotscope_collector_"


def page(counters: Counters, gauges: Gauges) -> str:
    """Every series; a counter that was never used is 0 where it has no label, and absent where it has one."""
    return "\n".join([*_counters(counters), *_gauges(gauges), *_durations(counters), ""])


def _counters(counters: Counters) -> Iterator[str]:
    counts = counters.snapshot()
    for name in Count:
        series = f"{PREFIX}{name}_total"
        yield from _head(series, "counter", MEANINGS[name])
        label = LABELS.get(name, "")
        found = {text: value for (counted, text), value in counts.items() if counted is name}
        if not label:
            yield f"{series} {sum(found.values())}"
            continue
        for text, value in sorted(found.items()):
            yield f'{series}{{{label}="{_escaped(text)}"}} {value}'


def _gauges(gauges: Gauges) -> Iterator[str]:
    for name, value in gauges.values().items():
        yield from _head(PREFIX + name, "gauge", GAUGES[name])
        yield f"{PREFIX}{name} {value:.17g}"


def _durations(counters: Counters) -> Iterator[str]:
    for name, (counts, total) in counters.durations().items():
        series = PREFIX + name
        yield from _head(series, "histogram", LATENCIES[name])
        for bound, count in zip([*map(str, BOUNDS), "+Inf"], counts, strict=True):
            yield f'{series}_bucket{{le="{bound}"}} {count}'
        yield f"{series}_sum {total:.17g}"
        yield f"{series}_count {counts[-1]}"


def _head(series: str, kind: str, meaning: str) -> Iterator[str]:
    yield f"# HELP {series} {meaning}"
    yield f"# TYPE {series} {kind}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
