"""Two selections held against each other, function by function."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np
from pivotscope.profile.function import Function
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode
from pivotscope.v1 import query_pb2

from pivotscope_collector.api.hotspots import interval_message
from pivotscope_collector.api.pages import Page
from pivotscope_collector.api.ranking import Known, attributed
from pivotscope_collector.errors import NotComparableError, UsageError
from pivotscope_collector.estimates.attribution import Attributed, Totals
from pivotscope_collector.estimates.columns import Ids
from pivotscope_collector.estimates.pool import FunctionCpu, PoolSums
from pivotscope_collector.estimates.seen import base_mode
from pivotscope_collector.estimates.share import Interval, Vector
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import Selection

NANO = 1e-9
DEFAULT_LIMIT = 20
NAMES = ("the base", "the selection")


Cpu = tuple[Interval, int, bool]
"""CPU of a function per unit with its interval, its samples, and whether there are too few windows for it."""


@dataclass(frozen=True, slots=True)
class Side:
    """One selection: its CPU by function, and what a value is per, in nanoseconds or requests."""

    selection: Selection
    attributed: Attributed
    totals: Sequence[Totals]
    modes: dict[Language, Mode]
    unit: float
    requests: float

    @property
    def ids(self) -> Ids:
        """Functions that were seen, each once."""
        return np.unique(np.concatenate([one.ids for one in self.totals]))

    def values(self, ids: Ids, *, by_self: bool) -> Vector:
        """CPU of these functions per unit; 0 where one was not seen."""
        found = np.zeros(len(ids))
        for one in self.totals:
            there = np.isin(one.ids, ids)
            found[np.searchsorted(ids, one.ids[there])] += (one.self_ns if by_self else one.total_ns)[there]
        return found / self.unit

    def cpu(self, functions: Sequence[int], *, by_self: bool) -> list[Cpu]:
        """CPU of these functions."""
        keys = np.array(functions, np.uint64)
        chosen = [(one.service, key) for one in self.totals for key in keys[np.isin(keys, one.ids)].tolist()]
        rows: dict[int, list[FunctionCpu]] = {key: [] for key in functions}
        for row in self.attributed.functions(chosen):
            rows[row.function].append(row)
        return [self._added(rows[key], by_self=by_self) for key in functions]

    def _added(self, rows: Sequence[FunctionCpu], *, by_self: bool) -> Cpu:
        """A function of several services per unit."""
        parts = [row.self_ns if by_self else row.total_ns for row in rows]
        estimate = sum(part.estimate for part in parts)
        low = hypot(*(part.estimate - part.low for part in parts))
        high = hypot(*(part.high - part.estimate for part in parts))
        interval = Interval(estimate, max(0.0, estimate - low), estimate + high).scaled(1.0 / self.unit)
        return interval, sum(row.samples for row in rows), any(row.insufficient for row in rows)


def diff_hotspots(
    client: Client,
    known: Known,
    sides: tuple[Selection, Selection],
    request: query_pb2.DiffHotspotsRequest,
    page: Page,
) -> query_pb2.DiffHotspotsResponse:
    """A page of functions by how much the two sides, the base first, differ; the largest difference first.

    Raises NotComparableError where values of the two sides do not mean the same.
    """
    if request.per not in {"", "request"}:
        raise UsageError(f"per {request.per!r}: expected nothing (a CPU-second) or request")
    base, side = (_side(client, known, one, name, request.per) for one, name in zip(sides, NAMES, strict=True))
    _comparable(base, side)
    ids = np.union1d(base.ids, side.ids)
    if not request.libraries:
        ids = ids[known.owners.own(ids)]
    before, after = (one.values(ids, by_self=request.by_self) for one in (base, side))
    difference = after - before
    order = np.lexsort((ids, -np.abs(difference)))
    shown = [int(key) for key in page.cut(ids[order].tolist())]
    named = known.names.of(shown)
    values = zip(*(one.cpu(shown, by_self=request.by_self) for one in (base, side)), strict=True)
    return query_pb2.DiffHotspotsResponse(
        functions=[_row(named[key], *both) for key, both in zip(shown, values, strict=True)],
        base=_message(base),
        selection=_message(side),
        matched=len(ids),
        next_page_token=page.following(len(ids)),
        later_difference=float(difference[order][page.start + page.size :].sum()),
    )


def _side(client: Client, known: Known, selection: Selection, name: str, per: str) -> Side:
    seen, found = attributed(known, selection)
    pools = seen.sums
    cpu = sum(pool.attributed_ns for pool in found.pools)
    totals = found.totals()
    if cpu <= 0.0 or not totals:
        raise NotComparableError(f"{name} has no samples: widen its range, or name another")
    requests = _requests(client, selection, pools, name) if per else 0.0
    return Side(selection, found, totals, _modes(pools), requests / NANO or cpu, requests)


def _requests(client: Client, selection: Selection, pools: Sequence[PoolSums], name: str) -> float:
    # Metrics bring a good part of the comparisons in: only where they are asked for.
    from pivotscope_collector.api.requests import count_all  # noqa: PLC0415

    found = count_all(client, selection, tuple(sorted({row.pool.service for row in pools})))
    if found.reason:
        raise NotComparableError(f"CPU a request is not known for {name}: {found.reason}")
    return found.requests


def _modes(pools: Sequence[PoolSums]) -> dict[Language, Mode]:
    """The mode that splits the CPU of each language; pools of one language that differ count by their weakest."""
    found: dict[Language, Mode] = {}
    by_pool: dict[object, set[Mode]] = {}
    for row in pools:
        if row.x > 0.0:
            by_pool.setdefault(row.pool, set()).add(row.mode)
            found[row.pool.language] = Mode.NONE
    for language in found:
        modes = {base_mode(by_pool[row.pool]) for row in pools if row.pool.language is language and row.pool in by_pool}
        found[language] = next(mode for mode in (Mode.NATIVE, Mode.ACTIVE, Mode.GIL) if mode in modes)
    return found


def _comparable(base: Side, side: Side) -> None:
    if base.modes.keys() != side.modes.keys():
        words = [" and ".join(sorted(one.modes)) for one in (base, side)]
        raise NotComparableError(
            f"the base ran {words[0]}, the selection {words[1]}: shares of different mixes do not mean the same; "
            "name one --service"
        )
    for language, mode in base.modes.items():
        if side.modes[language] is not mode:
            raise NotComparableError(
                f"CPU of {language} was split by {mode} windows in the base, by {side.modes[language]} windows in the "
                "selection: waiting threads count in one and not in the other; choose ranges sampled alike"
            )
    if not len(np.intersect1d(base.ids, side.ids)):
        raise NotComparableError("the two have no function in common: they run different code")


def _row(function: Function, before: Cpu, after: Cpu) -> query_pb2.HotspotDiff:
    (base, base_samples, unsure), (value, samples, unsure_too) = before, after
    difference = value.estimate - base.estimate
    row = query_pb2.HotspotDiff(
        language=function.language.value,
        codebase=function.codebase,
        path=function.path,
        qualified_name=function.qualified_name,
        owner=function.owner.value,
        difference=query_pb2.Interval(
            estimate=difference,
            low=difference - hypot(value.estimate - value.low, base.high - base.estimate),
            high=difference + hypot(value.high - value.estimate, base.estimate - base.low),
        ),
        ratio=value.estimate / base.estimate if base.estimate > 0.0 else 0.0,
        base_samples=base_samples,
        samples=samples,
        insufficient=unsure or unsure_too,
    )
    for place, interval, count in ((row.base, base, base_samples), (row.value, value, samples)):
        if count or interval.estimate > 0.0:
            place.CopyFrom(interval_message(interval))
    return row


def _message(side: Side) -> query_pb2.DiffSide:
    pools, selection = side.attributed.pools, side.selection
    attributed = sum(pool.attributed_ns for pool in pools)
    return query_pb2.DiffSide(
        cpu_seconds=(attributed + sum(pool.unattributed_ns for pool in pools)) * NANO,
        attributed_cpu_seconds=attributed * NANO,
        windows=sum(pool.windows for pool in pools),
        samples=sum(pool.samples for pool in pools),
        requests=side.requests,
        since_unix_ns=selection.since * 10**9,
        until_unix_ns=selection.told_until_ns,
    )
