"""`pivotscope trend`: since when is a function hot?"""

from typing import Annotated, Any

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask
from pivotscope_collector.cli.format import interval_fields, moment, percent, seconds
from pivotscope_collector.reports.sparkline import sparkline
from pivotscope_collector.reports.table import Column, Output, Table, write

COLUMNS = (
    Column("time", "time"),
    Column("total_cpu_seconds", "CPU s", seconds, right=True),
    Column("interval", "95 % interval", right=True),
    Column("total_share", "share", percent, right=True),
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
    step: Annotated[int, typer.Option(help="Seconds a row; 0 picks it from the range.")] = 0,
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Show the CPU of one function over time.

    For example:

        pivotscope trend calculate_commission --since 7d

        pivotscope trend 'Shop::Sales.calculate_commission' --service shop-ruby --step 300 --output csv
    """
    request = query_pb2.GetTrendRequest(
        selection=options.selection(since, until, service, environment, release), function=function, step_seconds=step
    )
    answer = ask(
        collector, token_file, lambda stub, call: stub.GetTrend(request, metadata=call.metadata, timeout=call.timeout)
    )
    write(_table(answer), output)


def _table(answer: query_pb2.GetTrendResponse) -> Table:
    notes = (
        f"{_line(answer)}  share, a step is {answer.step_seconds} s",
        f"First seen {moment(answer.first_seen_unix_ns)}.",
    )
    title = f"{answer.qualified_name} ({answer.path}) in {answer.service or 'no service in this range'}"
    return Table(COLUMNS, [_row(point) for point in answer.points], title, notes)


def _line(answer: query_pb2.GetTrendResponse) -> str:
    """A block a step; a dot where nothing was measured."""
    if not answer.points:
        return "nothing was sampled in this range"
    step = answer.step_seconds * 10**9
    shares = {point.unix_ns: point.total_share for point in answer.points}
    return sparkline([shares.get(at) for at in range(min(shares), max(shares) + 1, step)])


def _row(point: query_pb2.TrendPoint) -> dict[str, Any]:
    cpu = point.total_cpu_seconds
    return {
        "time": moment(point.unix_ns),
        "unix_ns": point.unix_ns,
        **interval_fields("total_cpu_seconds", cpu),
        "interval": f"{seconds(cpu.low)}–{seconds(cpu.high)}",
        "total_share": point.total_share,
        "samples": point.samples,
    }
