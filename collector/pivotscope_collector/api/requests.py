"""Requests of a whole selection, or why they are not known."""

from dataclasses import dataclass

from pivotscope_collector.api.trend_requests import count
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import Selection

STEPS = (60, 300, 900, 3600, 6 * 3600, 86_400)
POINTS = 240
COVERED = 0.5
"""Part of the range that counters must cover for their rate to stand for all of it."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Requests over the range, at the rate of the steps that were counted; else `reason` says why not."""

    requests: float = 0.0
    reason: str = ""


def count_all(client: Client, selection: Selection, services: tuple[str, ...]) -> Whole:
    """Requests of one service over the whole range. Raises StoreError."""
    span = selection.until - selection.since
    step = next((size for size in STEPS if span <= size * POINTS), STEPS[-1])
    found = count(client, selection, services, step)
    if found.reason:
        return Whole(reason=found.reason)
    part = len(found.counts) * step / span
    if part < COVERED:
        return Whole(reason=f"counters cover {100 * part:.0f} % of the range only")
    requests = sum(found.counts.values()) / part
    return Whole(requests) if requests > 0.0 else Whole(reason="no request was counted")
