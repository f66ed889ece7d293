"""One function over time: since when is it hot, and is it getting worse?"""

from functools import partial
from math import isfinite

from pivotscope.profile.function import Function
from pivotscope.v1 import query_pb2

from pivotscope_collector.api.hotspots import NANO, interval_message
from pivotscope_collector.api.ranking import Known
from pivotscope_collector.api.trend_points import History, Moment, merged, read
from pivotscope_collector.api.trend_versions import versions
from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.store import reader
from pivotscope_collector.store.catalogue import Names
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.trends.series import choose_step, least_multiple
from pivotscope_collector.trends.trend import Change, Trend, judge
from pivotscope_collector.trends.words import PER_REQUEST, SHARE, words

STEPS = (60, 300, 900, 3600, 6 * 3600, 86_400, 604_800)
ROWS = 60
WAYS = ("", "version", "request")


def get_trend(
    client: Client, known: Known, selection: Selection, request: query_pb2.GetTrendRequest
) -> query_pb2.GetTrendResponse:
    """CPU and share of a function in each step of the range, and the verdict; steps without windows are left out.

    The verdict looks at steps that suit the range, the rows at those that were asked for; both are made of the shorter
    ones. What the name stood for last is read while it is looked up.
    """
    if request.by not in WAYS:
        raise UsageError(f"by {request.by!r}: expected version or request")
    shown = _step(selection, request.step_seconds)
    asked = selection, request, shown
    finding = client.beside(partial(_find, client, known.names, selection, request.function))
    guess = known.called(request.function)
    answer = _answer(client, known, asked, guess) if guess else None
    found = finding.result()
    if answer is None or found != guess:
        known.call(request.function, found)
        answer = _answer(client, known, asked, found)
    return answer


def _answer(
    client: Client, known: Known, asked: tuple[Selection, query_pb2.GetTrendRequest, int], found: tuple[int, Function]
) -> query_pb2.GetTrendResponse:
    (selection, request, shown), (key, function) = asked, found
    judged = _judged(selection, shown)
    seen = client.beside(partial(known.first_seen.of, key))
    step = min(shown, judged)
    history = read(known.recall, selection, key, step, judged, apart=request.by == "version")
    first = seen.result()
    answer = query_pb2.GetTrendResponse(
        codebase=function.codebase,
        path=function.path,
        qualified_name=function.qualified_name,
        service=", ".join(history.services),
        step_seconds=shown,
        first_seen_unix_ns=first * 10**9,
    )
    if request.by:
        # Metrics bring a good part of the comparisons in: only where they are asked for.
        from pivotscope_collector.api.trend_requests import count  # noqa: PLC0415

        requests = count(client, selection, history.services, step)
        answer.no_requests = requests.reason
        history = history.counting(requests.counts, judged)
    answer.points.extend(_point(one) for one in merged(history.parts, shown))
    if request.by == "version":
        answer.versions.extend(versions(client, selection, history, judged))
    answer.verdict.CopyFrom(_verdict(history, request.by, judged, first, selection))
    return answer


def _verdict(history: History, by: str, step: int, first: int, selection: Selection) -> query_pb2.TrendVerdict:
    if by == "request" and history.counted:
        found = [one.request_point() for one in history.moments]
        points, unit, measure = [point for point in found if point], PER_REQUEST, "cpu_seconds_per_request"
    else:
        points, unit, measure = [one.share_point() for one in history.moments], SHARE, "share"
    trend = judge(points, step, first, history.deployments)
    message = query_pb2.TrendVerdict(
        state=trend.state.value,
        text=words(trend, unit, selection.until - selection.since),
        measure=measure,
        since_unix_ns=trend.since * 10**9,
        version=trend.version,
        changes=[_change(change) for change in trend.changes],
        points=trend.points,
        windows=trend.windows,
        effective_points=trend.effective_points,
        detectable=trend.detectable if trend.detectable is not None and isfinite(trend.detectable) else 0.0,
        seasons=trend.seasons,
        step_seconds=step,
    )
    return _with_levels(message, trend)


def _with_levels(message: query_pb2.TrendVerdict, trend: Trend) -> query_pb2.TrendVerdict:
    if trend.level is not None:
        message.level.CopyFrom(interval_message(trend.level))
    if trend.slope is not None:
        message.slope_per_second.CopyFrom(interval_message(trend.slope))
    return message


def _change(change: Change) -> query_pb2.TrendChange:
    return query_pb2.TrendChange(
        kind=change.kind.value,
        unix_ns=change.at * 10**9,
        earliest_unix_ns=change.earliest * 10**9,
        latest_unix_ns=change.latest * 10**9,
        before=interval_message(change.before),
        after=interval_message(change.after),
        version=change.version,
    )


def _point(one: Moment) -> query_pb2.TrendPoint:
    point = query_pb2.TrendPoint(
        unix_ns=one.at * 10**9,
        total_cpu_seconds=interval_message(one.cpu_ns, NANO),
        total_share=one.share.estimate,
        total_share_interval=interval_message(one.share),
        samples=one.samples,
        windows=one.windows,
    )
    if one.requests:
        point.requests = one.requests
        point.cpu_seconds_per_request.CopyFrom(interval_message(one.per_request))
    return point


def _step(selection: Selection, step: int) -> int:
    """The wanted step, or the smallest that keeps the range to a line of points."""
    span = selection.until - selection.since
    if step == 0:
        return max(selection.resolution, next((size for size in STEPS if span <= size * ROWS), STEPS[-1]))
    if step % selection.resolution:
        raise UsageError(f"a step of {step} s: expected a multiple of {selection.resolution} s over this range")
    return step


def _judged(selection: Selection, shown: int) -> int:
    """The step that the verdict looks at: what suits the range, if one of it and `shown` can be made of the other.

    Else the smallest multiple of `shown` that does.
    """
    span = selection.until - selection.since
    suited = max(selection.resolution, choose_step(span))
    return suited if 0 in {shown % suited, suited % shown} else least_multiple(shown, span)


def _find(client: Client, names: Names, selection: Selection, name: str) -> tuple[int, Function]:
    """The one function of that name that the selection has; an error that lists the choices otherwise."""
    if not name:
        raise UsageError("no function was named")
    known = names.called(name)
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
