"""`pivotscope trend`: since when is a function hot, and is it getting worse?"""

from enum import StrEnum
from typing import Annotated, Any

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask
from pivotscope_collector.cli.format import interval_fields, moment, percent, seconds
from pivotscope_collector.names import shown
from pivotscope_collector.reports.sparkline import sparkline
from pivotscope_collector.reports.table import Column, Output, Table, write, write_json


class By(StrEnum):
    """What a trend can be taken by."""

    VERSION = "version"
    REQUEST = "request"


def _milliseconds(value: float | None) -> str:
    return "unknown" if value is None else f"{1000 * value:.3g}"


POINTS = (
    Column("time", "time"),
    Column("total_cpu_seconds", "CPU s", seconds, right=True),
    Column("interval", "95 % interval", right=True),
    Column("total_share", "of attributed", percent, right=True),
    Column("samples", "samples", "{:,}".format, right=True),
)
REQUESTS = (
    *POINTS[:4],
    Column("requests", "requests", lambda value: "unknown" if value is None else f"{value:,.0f}", right=True),
    Column("cpu_seconds_per_request", "CPU ms a request", _milliseconds, right=True),
    POINTS[4],
)
VERSIONS = (
    Column("version", "version", shown),
    Column("first", "first window"),
    Column("last", "last window"),
    Column("total_cpu_seconds", "CPU s", seconds, right=True),
    Column("total_share", "of attributed", percent, right=True),
    Column("interval", "95 % interval", right=True),
    Column("cpu_seconds_per_request", "CPU ms a request", _milliseconds, right=True),
    Column("change", "against the one before", right=True),
    Column("samples", "samples", "{:,}".format, right=True),
)


def trend(
    function: Annotated[str, typer.Argument(help="Qualified name, or its end: calculate_commission.")],
    *,
    service: options.ServiceOption = "",
    environment: options.EnvironmentOption = "",
    release: options.VersionOption = "",
    since: options.Since = "1h",
    until: options.Until = "now",
    step: Annotated[int, typer.Option(min=0, help="Seconds a row; 0 picks it from the range.")] = 0,
    by: Annotated[By | None, typer.Option(help="One row a version, or CPU a request.")] = None,
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Show one function over time, and what came of it: steady, rising since when, higher since which version.

    Shares are of the service's attributed CPU, that which samples account for.

    Hours of the day and days of the week are held against their like once the range has enough of them. JSON has the
    verdict beside the points, CSV the rows alone.

    For example:

        pivotscope trend calculate_commission --since 30d

        pivotscope trend calculate_commission --since 30d --by version

        pivotscope trend 'Shop::Sales.calculate_commission' --service shop-ruby --by request --output csv
    """
    request = query_pb2.GetTrendRequest(
        selection=options.selection(since, until, service, environment, release),
        function=function,
        step_seconds=step,
        by=by or "",
    )
    answer = ask(
        collector, token_file, lambda stub, call: stub.GetTrend(request, metadata=call.metadata, timeout=call.timeout)
    )
    if output is Output.JSON:
        write_json(_document(answer))
        return
    write(_versions(answer) if by is By.VERSION else _points(answer, by), output)


def _points(answer: query_pb2.GetTrendResponse, by: By | None) -> Table:
    columns = REQUESTS if by is By.REQUEST and not answer.no_requests else POINTS
    line = f"{_line(answer)}  share of attributed CPU, a step is {answer.step_seconds} s"
    return Table(columns, [_point(point) for point in answer.points], _title(answer), (line, *_notes(answer)))


def _versions(answer: query_pb2.GetTrendResponse) -> Table:
    return Table(VERSIONS, [_version(row) for row in answer.versions], _title(answer), _notes(answer))


def _title(answer: query_pb2.GetTrendResponse) -> str:
    return f"{answer.qualified_name} ({answer.path}) in {answer.service or 'no service in this range'}"


def _notes(answer: query_pb2.GetTrendResponse) -> tuple[str, ...]:
    verdict = answer.verdict
    notes = [f"Verdict: {verdict.text}.", f"First seen {moment(answer.first_seen_unix_ns)}."]
    if verdict.effective_points:
        taken = f", {' and '.join(verdict.seasons)} taken out" if verdict.seasons else ""
        notes.append(
            f"Judged by {verdict.points} steps of {verdict.step_seconds} s with {verdict.windows:,} windows, "
            f"worth {verdict.effective_points:.0f} independent ones{taken}."
        )
    if answer.no_requests:
        notes.append(f"No CPU a request: {answer.no_requests}.")
    return tuple(notes)


def _line(answer: query_pb2.GetTrendResponse) -> str:
    """A block a step; a dot where nothing was measured."""
    if not answer.points:
        return "nothing was sampled in this range"
    step = answer.step_seconds * 10**9
    shares = {point.unix_ns: point.total_share for point in answer.points}
    return sparkline([shares.get(at) for at in range(min(shares), max(shares) + 1, step)])


def _document(answer: query_pb2.GetTrendResponse) -> dict[str, Any]:
    verdict = answer.verdict
    judged = {
        "state": verdict.state,
        "text": verdict.text,
        "measure": verdict.measure,
        "since_unix_ns": verdict.since_unix_ns or None,
        "version": verdict.version or None,
        "level": _interval(verdict.level) if verdict.HasField("level") else None,
        "slope_per_second": _interval(verdict.slope_per_second) if verdict.HasField("slope_per_second") else None,
        "changes": [_change(change) for change in verdict.changes],
        "points": verdict.points,
        "windows": verdict.windows,
        "effective_points": verdict.effective_points,
        "detectable": verdict.detectable or None,
        "seasons": list(verdict.seasons),
        "step_seconds": verdict.step_seconds,
    }
    return {
        "codebase": answer.codebase,
        "path": answer.path,
        "qualified_name": answer.qualified_name,
        "service": answer.service,
        "first_seen_unix_ns": answer.first_seen_unix_ns or None,
        "verdict": judged,
        "step_seconds": answer.step_seconds,
        "points": [_point(point) for point in answer.points],
        "versions": [_version(row) for row in answer.versions],
        "no_requests": answer.no_requests or None,
    }


def _interval(interval: query_pb2.Interval) -> dict[str, float]:
    return {"estimate": interval.estimate, "low": interval.low, "high": interval.high}


def _change(change: query_pb2.TrendChange) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "unix_ns": change.unix_ns,
        "earliest_unix_ns": change.earliest_unix_ns,
        "latest_unix_ns": change.latest_unix_ns,
        "before": _interval(change.before),
        "after": _interval(change.after),
        "version": change.version or None,
    }


def _point(point: query_pb2.TrendPoint) -> dict[str, Any]:
    cpu = point.total_cpu_seconds
    counted = point.HasField("cpu_seconds_per_request")
    return {
        "time": moment(point.unix_ns),
        "unix_ns": point.unix_ns,
        **interval_fields("total_cpu_seconds", cpu),
        "interval": f"{seconds(cpu.low)}–{seconds(cpu.high)}",
        **interval_fields("total_share", point.total_share_interval),
        "samples": point.samples,
        "windows": point.windows,
        "requests": point.requests if counted else None,
        **_per_request(point.cpu_seconds_per_request, counted=counted),
    }


def _version(row: query_pb2.TrendVersion) -> dict[str, Any]:
    share, change = row.total_share, row.change
    changed = row.HasField("change")
    return {
        "version": row.version,
        "first": moment(row.first_unix_ns),
        "last": moment(row.last_unix_ns),
        "first_unix_ns": row.first_unix_ns,
        "last_unix_ns": row.last_unix_ns,
        **interval_fields("total_cpu_seconds", row.total_cpu_seconds),
        **interval_fields("total_share", share),
        "interval": f"{100 * share.low:.1f}–{100 * share.high:.1f} %",
        **_per_request(row.cpu_seconds_per_request, counted=row.HasField("cpu_seconds_per_request")),
        "change": f"×{change.estimate:.2f} ({change.low:.2f}–{change.high:.2f})" if changed else "",
        "change_ratio": change.estimate if changed else None,
        "change_ratio_low": change.low if changed else None,
        "change_ratio_high": change.high if changed else None,
        "windows": row.windows,
        "samples": row.samples,
    }


def _per_request(interval: query_pb2.Interval, *, counted: bool) -> dict[str, float | None]:
    fields: dict[str, float | None] = interval_fields("cpu_seconds_per_request", interval)
    return fields if counted else dict.fromkeys(fields)
