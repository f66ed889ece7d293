"""Options that every reading command takes, and the selection they make."""

import time
from typing import Annotated

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli.when import FORMS, parse_when
from pivotscope_collector.reports.table import Output

ServiceOption = Annotated[str, typer.Option("--service", "-s", help="One service; default: all.")]
EnvironmentOption = Annotated[str, typer.Option("--environment", help="One environment; default: all.")]
VersionOption = Annotated[str, typer.Option("--release", help="One version of the service; default: all.")]
Since = Annotated[str, typer.Option("--since", help=f"Start of the range: {FORMS}.")]
Until = Annotated[str, typer.Option("--until", help="End of the range, in the same forms.")]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]


def selection(
    since: str, until: str, service: str = "", environment: str = "", version: str = ""
) -> query_pb2.Selection:
    """The selection that the options name."""
    now_ns = time.time_ns()
    return query_pb2.Selection(
        service=service,
        environment=environment,
        version=version,
        since_unix_ns=parse_when(since, now_ns),
        until_unix_ns=parse_when(until, now_ns),
    )
