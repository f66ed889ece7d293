"""A function version by version: what each made of it."""

from collections.abc import Sequence
from dataclasses import replace
from math import exp, hypot, log

from pivotscope.v1 import query_pb2

from pivotscope_collector.api.hotspots import NANO, interval_message
from pivotscope_collector.api.trend_points import History, Moment, counted, merged
from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.trends.level import half_width

MOST = 12
"""Versions that are told apart, the newest."""


def versions(client: Client, selection: Selection, history: History, step: int) -> list[query_pb2.TrendVersion]:
    """One row a version in order of its first window, each held against the one before."""
    ordered = sorted(history.by_version, key=lambda name: history.versions[name])[-MOST:]
    rows: list[query_pb2.TrendVersion] = []
    before: Interval | None = None
    for name in ordered:
        moments = _requests(client, selection, history, name, step)
        row, share = _row(name, moments, step)
        if before is not None:
            change = _ratio(before, share)
            if change is not None:
                row.change.CopyFrom(interval_message(change))
        rows.append(row)
        before = share
    return rows


def _requests(client: Client, selection: Selection, history: History, name: str, step: int) -> list[Moment]:
    moments = history.by_version[name]
    if not history.counted:
        return moments
    from pivotscope_collector.api.trend_requests import count  # noqa: PLC0415 - see api/trend.py

    return counted(moments, count(client, replace(selection, version=name), history.services, step).counts)


def _row(name: str, moments: Sequence[Moment], step: int) -> tuple[query_pb2.TrendVersion, Interval]:
    (whole,) = merged(moments, 0)
    share = _widened(whole.share, half_width([one.share_point() for one in moments], step))
    row = query_pb2.TrendVersion(
        version=name,
        first_unix_ns=moments[0].at * 10**9,
        last_unix_ns=(moments[-1].at + step) * 10**9,
        total_cpu_seconds=interval_message(whole.cpu_ns, NANO),
        total_share=interval_message(share),
        windows=whole.windows,
        samples=whole.samples,
    )
    known = [one for one in moments if one.request_point() is not None]
    if known:
        (part,) = merged(known, 0)
        row.cpu_seconds_per_request.CopyFrom(interval_message(part.per_request))
    return row, share


def _widened(share: Interval, half: float | None) -> Interval:
    """The wider of two intervals: windows of one step may resemble each other more than those of different steps."""
    if half is None:
        return share
    low, high = min(share.low, share.estimate - half), max(share.high, share.estimate + half)
    return Interval(share.estimate, max(0.0, low), min(1.0, high))


def _ratio(before: Interval, after: Interval) -> Interval | None:
    """After ÷ before; half-widths add in quadrature on the scale of logarithms. None where one was never seen."""
    if before.estimate <= 0.0 or after.estimate <= 0.0:
        return None
    half = hypot(*((one.high - one.low) / 2.0 / one.estimate for one in (before, after)))
    ratio = after.estimate / before.estimate
    return Interval(ratio, exp(log(ratio) - half), exp(log(ratio) + half))
