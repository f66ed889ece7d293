"""Where the CPU goes: functions of a selection with their CPU-seconds."""

from collections.abc import Sequence

from pivotscope.profile.function import Function
from pivotscope.v1 import query_pb2

from pivotscope_collector.api.pages import Page
from pivotscope_collector.api.ranking import Known, rank
from pivotscope_collector.estimates.attribution import Attributed, attribute_columns
from pivotscope_collector.estimates.columns import PoolColumns
from pivotscope_collector.estimates.pool import FunctionCpu, PoolCpu
from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.store.processes import PROCESSES, Processes, largest
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.totals import Pools, whole

NANO = 1e-9
DEFAULT_LIMIT = 20


def list_hotspots(
    known: Known, selection: Selection, page: Page, *, libraries: bool, by_total: bool
) -> query_pb2.ListHotspotsResponse:
    """A page of functions by CPU, the largest first, and what every service used, sampled or not."""
    found, processes = whole(known.recall, selection, _attributed, PROCESSES)
    ranked = rank(known.owners, found, libraries=libraries, by_total=by_total)
    shown = found.functions(ranked.page(page))
    named = known.names.of(row.function for row in shown)
    return query_pb2.ListHotspotsResponse(
        hotspots=[_hotspot(row, named[row.function]) for row in shown],
        services=_services(found.services(), processes),
        since_unix_ns=selection.since * 10**9,
        until_unix_ns=selection.told_until_ns,
        matched=len(ranked),
        next_page_token=page.following(len(ranked)),
        later_self_cpu_seconds=float(ranked.self_ns[page.start + page.size :].sum()) * NANO,
        unmatched_self_cpu_seconds=ranked.unmatched_ns * NANO,
    )


def interval_message(interval: Interval, factor: float = 1.0) -> query_pb2.Interval:
    """An interval on the wire, in another unit."""
    return query_pb2.Interval(
        estimate=interval.estimate * factor, low=interval.low * factor, high=interval.high * factor
    )


def _hotspot(row: FunctionCpu, function: Function) -> query_pb2.Hotspot:
    total = row.total_ns.estimate
    return query_pb2.Hotspot(
        service=row.pool.service,
        language=row.pool.language.value,
        codebase=function.codebase,
        path=function.path,
        qualified_name=function.qualified_name,
        owner=function.owner.value,
        self_cpu_seconds=interval_message(row.self_ns, NANO),
        total_cpu_seconds=interval_message(row.total_ns, NANO),
        self_share=interval_message(row.self_share.interval),
        total_share=interval_message(row.total_share.interval),
        native_share=min(1.0, row.native_ns.estimate / total) if total > 0.0 else 0.0,
        samples=row.samples,
        insufficient=row.insufficient,
    )


def _attributed(pools: Pools, functions: PoolColumns, processes: Sequence[Processes]) -> tuple[Attributed, Processes]:
    return attribute_columns(pools.sums, functions), largest(processes)


def _services(services: tuple[PoolCpu, ...], processes: Processes) -> list[query_pb2.ServiceCpu]:
    return [
        query_pb2.ServiceCpu(
            service=row.pool.service,
            language=row.pool.language.value,
            cpu_seconds=(row.attributed_ns + row.unattributed_ns) * NANO,
            attributed_cpu_seconds=row.attributed_ns * NANO,
            unattributed_cpu_seconds=row.unattributed_ns * NANO,
            windows=row.windows,
            samples=row.samples,
            processes=processes.most.get((row.pool.service, row.pool.language), 0),
        )
        for row in sorted(services, key=lambda row: (row.pool.service, row.pool.language))
    ]
