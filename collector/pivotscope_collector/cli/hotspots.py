"""`pivotscope hotspots`: what is hot."""

from typing import Annotated, Any

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask
from pivotscope_collector.cli.format import counted, interval_fields, percent, seconds
from pivotscope_collector.cli.pages import PAGE, pages
from pivotscope_collector.reports.table import Column, Output, Table, write

COLUMNS = (
    Column("service", "service"),
    Column("function", "function"),
    Column("path", "file"),
    Column("self_cpu_seconds", "self CPU s", seconds, right=True),
    Column("total_cpu_seconds", "total CPU s", seconds, right=True),
    Column("total_share", "of attributed", percent, right=True),
    Column("interval", "95 % interval", right=True),
    Column("native_share", "native", percent, right=True),
    Column("samples", "samples", "{:,}".format, right=True),
)


def hotspots(
    *,
    service: options.ServiceOption = "",
    environment: options.EnvironmentOption = "",
    release: options.VersionOption = "",
    variant: options.VariantOption = "",
    since: options.Since = "1h",
    until: options.Until = "now",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Rows to print.")] = 20,
    libraries: Annotated[bool, typer.Option("--libraries", help="Functions of packages and the language too.")] = False,
    self_time: Annotated[bool, typer.Option("--self", help="Order by self CPU instead of total.")] = False,
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Show the functions that use the most CPU.

    Of attributed is the part of the service's attributed CPU, that which samples account for, with its 95 % interval.
    What is unattributed belongs to no function; a line below tells how much that is.

    For example:

        pivotscope hotspots

        pivotscope hotspots --service shop --since 24h --libraries

        pivotscope hotspots --since 7d --output json | jq '.[0]'
    """
    request = query_pb2.ListHotspotsRequest(
        selection=options.selection(since, until, service, environment, release, variant=variant),
        limit=min(limit, PAGE),
        libraries=libraries,
        by_total=not self_time,
    )
    answer = ask(collector, token_file, lambda stub, call: pages(stub.ListHotspots, request, call, "hotspots", limit))
    write(_table(answer), output)


def _table(answer: query_pb2.ListHotspotsResponse) -> Table:
    notes = tuple(_note(service) for service in answer.services)
    if answer.unmatched_self_cpu_seconds > 0.0:
        spent = seconds(answer.unmatched_self_cpu_seconds)
        notes = (f"{spent} CPU-seconds in packages and the language itself; --libraries shows them.", *notes)
    if answer.matched > len(answer.hotspots):
        more, spent = answer.matched - len(answer.hotspots), seconds(answer.later_self_cpu_seconds)
        notes = (f"{more} more; --limit shows them. They spent {spent} CPU-seconds themselves.", *notes)
    if any(hotspot.insufficient for hotspot in answer.hotspots):
        notes = ("* fewer than 8 windows: the interval is not to be trusted yet.", *notes)
    if not answer.hotspots:
        notes = ("Nothing was sampled in this range.", *notes)
    return Table(COLUMNS, [_row(hotspot) for hotspot in answer.hotspots], notes=notes)


def _row(hotspot: query_pb2.Hotspot) -> dict[str, Any]:
    mark = " *" if hotspot.insufficient else ""
    return {
        "service": hotspot.service,
        "language": hotspot.language,
        "codebase": hotspot.codebase,
        "path": hotspot.path,
        "function": hotspot.qualified_name,
        "owner": hotspot.owner,
        **interval_fields("self_cpu_seconds", hotspot.self_cpu_seconds),
        **interval_fields("total_cpu_seconds", hotspot.total_cpu_seconds),
        **interval_fields("self_share", hotspot.self_share),
        **interval_fields("total_share", hotspot.total_share),
        "interval": f"{100 * hotspot.total_share.low:.1f}–{100 * hotspot.total_share.high:.1f} %{mark}",
        "native_share": hotspot.native_share,
        "samples": hotspot.samples,
        "insufficient": hotspot.insufficient,
    }


def _processes(most: int) -> str:
    return counted(most, "process", "processes") + (" at once" if most > 1 else "")


def _note(service: query_pb2.ServiceCpu) -> str:
    whole = service.cpu_seconds
    lost = service.unattributed_cpu_seconds / whole if whole > 0.0 else 0.0
    return (
        f"{service.service} ({service.language}): {seconds(whole)} CPU-seconds in {_processes(service.processes)}, "
        f"{percent(lost)} unattributed; {counted(service.samples, 'sample')} in {counted(service.windows, 'window')}."
    )
