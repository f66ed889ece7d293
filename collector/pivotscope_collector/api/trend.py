"""One function over time: since when is it hot, and is it getting worse?"""

from pivotscope.profile.function import Function
from pivotscope.v1 import query_pb2

from pivotscope_collector.api.hotspots import NANO, interval_message
from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.estimates.attribution import attribute, by_service
from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.store import catalogue, reader
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.sums import function_sums, pool_sums

STEPS = (60, 300, 900, 3600, 6 * 3600, 86_400)
POINTS = 60
MINUTE = 60


def get_trend(client: Client, selection: Selection, name: str, step: int) -> query_pb2.GetTrendResponse:
    """CPU-seconds of a function in each bucket of the range; buckets without windows are left out."""
    step = _step(selection, step)
    key, function = _find(client, selection, name)
    pools = pool_sums(reader.pools(client, selection, step_seconds=step))
    functions = function_sums(reader.functions(client, selection, step_seconds=step, function_ids=[key]))
    points = []
    services: set[str] = set()
    for bucket in sorted(pools):
        attribution = by_service(attribute(pools[bucket], functions.get(bucket, [])))
        found = [row for row in attribution.functions if row.function == key]
        services.update(row.pool.service for row in found)
        whole = sum(pool.attributed_ns for pool in attribution.pools)
        total = _sum([row.total_ns for row in found])
        points.append(
            query_pb2.TrendPoint(
                unix_ns=bucket * 10**9,
                total_cpu_seconds=interval_message(total, NANO),
                total_share=total.estimate / whole if whole > 0.0 else 0.0,
                samples=sum(row.samples for row in found),
            )
        )
    return query_pb2.GetTrendResponse(
        codebase=function.codebase,
        path=function.path,
        qualified_name=function.qualified_name,
        service=", ".join(sorted(services)),
        step_seconds=step,
        first_seen_unix_ns=client.query("first_seen", {"function_id": key})["first_seen"][0] * 10**9,
        points=points,
    )


def _step(selection: Selection, step: int) -> int:
    """The wanted step, or the smallest that keeps the range to a line of points."""
    span = selection.until - selection.since
    if step == 0:
        return max(selection.resolution, next((size for size in STEPS if span <= size * POINTS), STEPS[-1]))
    if step % selection.resolution:
        raise UsageError(f"a step of {step} s: expected a multiple of {selection.resolution} s over this range")
    return step


def _find(client: Client, selection: Selection, name: str) -> tuple[int, Function]:
    """The one function of that name that the selection has; an error that lists the choices otherwise."""
    if not name:
        raise UsageError("no function was named")
    known = catalogue.functions_by_name(client, name)
    if not known:
        raise NotFoundError(
            f"no function is named {name!r}, or ends with it; `pivotscope hotspots` lists what was seen"
        )
    if len(known) > 1:
        seen = set(reader.functions(client, selection, function_ids=sorted(known))["function_id"])
        known = {key: function for key, function in known.items() if key in seen} or known
    if len(known) > 1:
        choices = ", ".join(f"{item.codebase}:{item.path}:{item.qualified_name}" for item in known.values())
        raise UsageError(f"{name!r} names {len(known)} functions; say which, or narrow by --service: {choices}")
    return next(iter(known.items()))


def _sum(intervals: list[Interval]) -> Interval:
    """Sum of independent estimates: half-widths add in quadrature."""
    estimate = sum(item.estimate for item in intervals)
    low = sum((item.estimate - item.low) ** 2 for item in intervals) ** 0.5
    high = sum((item.high - item.estimate) ** 2 for item in intervals) ** 0.5
    return Interval(estimate, max(0.0, estimate - low), estimate + high)
