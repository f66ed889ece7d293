"""Requests that a service counted in every step of a range, or why they are not known."""

from dataclasses import dataclass, field

import numpy as np
from pivotscope.profile.metric import MetricRole

from pivotscope_collector.impact.arm import Grid
from pivotscope_collector.impact.assemble import assemble, series_points
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.impact import ImpactReader
from pivotscope_collector.store.reader import Selection

SECOND = 1_000_000_000
REVERSED = 0.05
"""Part of the steps between reads that may go backwards before different processes are known to answer."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests by the step's start (unix seconds), for steps that were counted whole; else `reason` says why not."""

    counts: dict[int, float] = field(default_factory=dict)
    reason: str = ""


def count(client: Client, selection: Selection, services: tuple[str, ...], step: int) -> Requests:
    """Requests a step of one service. Raises StoreError."""
    if len(services) != 1:
        return Requests(reason="the range has several services: narrow it with --service" if services else "no service")
    source = ImpactReader(client)
    since = selection.since // step * step * SECOND
    grid = Grid(since, step * SECOND, max(1, -(-(selection.until * SECOND - since) // (step * SECOND))))
    where = {
        "service": services[0],
        "environment": selection.environment,
        "version": selection.version,
        "variant": selection.variant,
        "since_ns": since - step * SECOND,
        "until_ns": grid.end_ns + step * SECOND,
    }
    series = [entry for entry in source.series(where) if entry[1].role in {MetricRole.REQUESTS, MetricRole.LATENCY}]
    if not series:
        return Requests(
            reason=f"{services[0]} has no metric with the role of requests or latency: see [metrics] of the agent"
        )
    points = series_points(series, source.points(where, [key for key, _ in series], step * SECOND // 4))
    arm = assemble(services[0], grid, points)
    steps = [(one.reversals, one.intervals) for one in arm.counters]
    steps += [(one.reversals, one.intervals) for one in arm.histograms]
    if any(reversals > REVERSED * max(1, intervals) for reversals, intervals in steps):
        return Requests(reason="its counters step backwards: several processes answer under one address in turn")
    found = arm.requests()
    if found is None or not np.isfinite(found).any():
        return Requests(reason=f"the counters of {services[0]} cover no whole step of this range")
    return Requests({since // SECOND + index * step: float(n) for index, n in enumerate(found) if np.isfinite(n)})
