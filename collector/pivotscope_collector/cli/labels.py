"""`pivotscope labels`: which services, environments, versions and variants there are."""

from typing import Annotated

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask
from pivotscope_collector.cli.format import seconds
from pivotscope_collector.cli.pages import PAGE, pages
from pivotscope_collector.names import shown
from pivotscope_collector.reports.table import Column, Output, Table, write

COLUMNS = (
    Column("label", "label"),
    Column("value", "value", shown),
    Column("cpu_seconds", "CPU s", seconds, right=True),
    Column("windows", "windows", "{:,}".format, right=True),
    Column("samples", "samples", "{:,}".format, right=True),
)


def labels(
    label: Annotated[
        str, typer.Argument(help="One of service, environment, version, variant, language, mode; default: all.")
    ] = "",
    *,
    service: options.ServiceOption = "",
    environment: options.EnvironmentOption = "",
    since: options.Since = "24h",
    until: options.Until = "now",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Rows to print.")] = 200,
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """List the names that windows carry, with their CPU: what the options of other commands can be.

    For example:

        pivotscope labels

        pivotscope labels version --service shop --since 30d
    """
    request = query_pb2.ListLabelsRequest(
        selection=options.selection(since, until, service, environment), name=label, page_size=min(limit, PAGE)
    )
    answer = ask(collector, token_file, lambda stub, call: pages(stub.ListLabels, request, call, "labels", limit))
    rows = [
        {
            "label": one.name,
            "value": one.value,
            "cpu_seconds": one.cpu_seconds,
            "windows": one.windows,
            "samples": one.samples,
        }
        for one in answer.labels
    ]
    notes = [] if rows else ["No window in this range."]
    if answer.next_page_token:
        notes.append("There are more; --limit shows them.")
    write(Table(COLUMNS, rows, notes=tuple(notes)), output)
