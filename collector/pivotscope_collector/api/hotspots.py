"""Where the CPU goes: functions of a selection with their CPU-seconds."""

from collections.abc import Mapping

from pivotscope.profile.function import Function, Owner
from pivotscope.v1 import query_pb2

from pivotscope_collector.estimates.attribution import attribute, by_service
from pivotscope_collector.estimates.pool import Attribution, FunctionCpu
from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.store import catalogue, reader
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.sums import function_sums, pool_sums

NANO = 1e-9
DEFAULT_LIMIT = 20


def list_hotspots(
    client: Client, selection: Selection, limit: int, *, libraries: bool, by_total: bool
) -> query_pb2.ListHotspotsResponse:
    """Functions by CPU, the largest first, and what every service used, sampled or not."""
    columns = reader.pools(client, selection)
    pools = pool_sums(columns)
    functions = function_sums(reader.functions(client, selection))
    attribution = by_service(
        attribute(
            [row for rows in pools.values() for row in rows], [row for rows in functions.values() for row in rows]
        )
    )
    names = catalogue.functions_by_id(client, sorted({row.function for row in attribution.functions}))
    wanted = [row for row in attribution.functions if row.function in names and (libraries or _own(names, row))]
    wanted.sort(key=lambda row: (-(row.total_ns if by_total else row.self_ns).estimate, names[row.function].path))
    return query_pb2.ListHotspotsResponse(
        hotspots=[_hotspot(row, names[row.function]) for row in wanted[: limit or DEFAULT_LIMIT]],
        services=_services(attribution, columns),
        since_unix_ns=selection.since * 10**9,
        until_unix_ns=min(selection.until_ns, selection.until * 10**9),
        matched=len(wanted),
    )


def interval_message(interval: Interval, factor: float = 1.0) -> query_pb2.Interval:
    """An interval on the wire, in another unit."""
    return query_pb2.Interval(
        estimate=interval.estimate * factor, low=interval.low * factor, high=interval.high * factor
    )


def _own(names: Mapping[int, Function], row: FunctionCpu) -> bool:
    return names[row.function].owner is Owner.APPLICATION


def _hotspot(row: FunctionCpu, function: Function) -> query_pb2.Hotspot:
    total = row.total_ns.estimate
    return query_pb2.Hotspot(
        service=row.pool.service,
        language=function.language.value,
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
        insufficient=row.total_share.insufficient,
    )


def _services(attribution: Attribution, columns: Mapping[str, list[int]]) -> list[query_pb2.ServiceCpu]:
    processes: dict[tuple[str, str], int] = {}
    keys = zip(columns["service"], columns["language"], columns["processes"], strict=True)
    for service, language, count in keys:
        key = (str(service), str(language))
        processes[key] = max(processes.get(key, 0), count)
    return [
        query_pb2.ServiceCpu(
            service=row.pool.service,
            language=row.pool.language.value,
            cpu_seconds=(row.attributed_ns + row.unattributed_ns) * NANO,
            attributed_cpu_seconds=row.attributed_ns * NANO,
            unattributed_cpu_seconds=row.unattributed_ns * NANO,
            windows=row.windows,
            samples=row.samples,
            processes=processes.get((row.pool.service, row.pool.language.value), 0),
        )
        for row in sorted(attribution.pools, key=lambda row: (row.pool.service, row.pool.language))
    ]
