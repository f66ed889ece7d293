"""Requests that a service counted in every step of a range, or why they are not known."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np
from pivotscope.profile.metric import MetricRole

from pivotscope_collector.impact.arm import Arm, Grid
from pivotscope_collector.impact.assemble import assemble, series_points
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.impact import ImpactReader
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.stretch import Stretch, steps

SECOND = 1_000_000_000
REVERSED = 0.05
"""Part of the steps between reads that may go backwards before different processes are known to answer."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests by the step's start (unix seconds), for steps that were counted whole; else `reason` says why not.

    Of steps that the range cuts, those within it: CPU is of the same time.
    """

    counts: dict[int, float] = field(default_factory=dict)
    reason: str = ""


def count(client: Client, selection: Selection, services: tuple[str, ...], step: int) -> Requests:
    """Requests a step of one service. Raises StoreError."""
    if len(services) != 1:
        return Requests(reason="the range has several services: narrow it with --service" if services else "no service")
    source = ImpactReader(client)
    parts = list(steps(selection.since, selection.until, step))
    where = {
        **selection.names,
        "service": services[0],
        "since_ns": (parts[0].start - step) * SECOND,
        "until_ns": (parts[-1].end + step) * SECOND,
    }
    series = [entry for entry in source.series(where) if entry[1].role in {MetricRole.REQUESTS, MetricRole.LATENCY}]
    if not series:
        return Requests(
            reason=f"{services[0]} has no metric with the role of requests or latency: see [metrics] of the agent"
        )
    points = series_points(series, source.points(where, [key for key, _ in series], step * SECOND // 4))
    arm = _joined([assemble(services[0], grid, points) for grid in _grids(parts)])
    reads = [(one.reversals, one.intervals) for one in arm.counters]
    reads += [(one.reversals, one.intervals) for one in arm.histograms]
    if any(reversals > REVERSED * max(1, intervals) for reversals, intervals in reads):
        return Requests(reason="its counters step backwards: several processes answer under one address in turn")
    found = arm.requests()
    if found is None or not np.isfinite(found).any():
        return Requests(reason=f"the counters of {services[0]} cover no whole step of this range")
    counted = zip(parts, found, strict=True)
    return Requests({part.start // step * step: float(n) for part, n in counted if np.isfinite(n)})


def _grids(parts: Sequence[Stretch]) -> list[Grid]:
    """Stretches that follow each other, as grids of blocks of one length."""
    runs = [(length, list(run)) for length, run in groupby(parts, key=lambda part: part.end - part.start)]
    return [Grid(run[0].start * SECOND, length * SECOND, len(run)) for length, run in runs]


def _joined(arms: Sequence[Arm]) -> Arm:
    """Arms of the same points over grids that follow each other, as one of all blocks."""
    counters = zip(*(arm.counters for arm in arms), strict=True)
    histograms = zip(*(arm.histograms for arm in arms), strict=True)
    return replace(
        arms[0],
        counters=tuple(replace(c[0], increments=np.concatenate([one.increments for one in c])) for c in counters),
        histograms=tuple(replace(h[0], buckets=np.concatenate([one.buckets for one in h])) for h in histograms),
    )
