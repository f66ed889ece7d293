"""`pivotscope diff`: which functions take more, and which less."""

from typing import Annotated, Any

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask
from pivotscope_collector.cli.format import counted, interval_fields, moment, percent, seconds, signed
from pivotscope_collector.cli.pages import PAGE, pages
from pivotscope_collector.errors import UsageError
from pivotscope_collector.reports.table import Column, Output, Table, write

UNITS = {"cpu": ("", "part of attributed CPU", 100.0, "%"), "request": ("request", "CPU a request", 1e3, "ms")}


def diff(
    *,
    service: options.ServiceOption = "",
    environment: options.EnvironmentOption = "",
    release: options.VersionOption = "",
    variant: options.VariantOption = "",
    since: options.Since = "1h",
    until: options.Until = "now",
    base_service: options.BaseService = "",
    base_environment: options.BaseEnvironment = "",
    base_release: options.BaseVersion = "",
    base_variant: options.BaseVariant = "",
    base_range: options.BaseRange = "",
    per: Annotated[str, typer.Option(help="What values are per: cpu (a part of attributed CPU) or request.")] = "cpu",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Rows to print.")] = 20,
    libraries: Annotated[bool, typer.Option("--libraries", help="Functions of packages and the language too.")] = False,
    self_time: Annotated[bool, typer.Option("--self", help="Self CPU instead of total.")] = False,
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Show which functions take more, and which less, than in a base; the largest differences first.

    For example:

        pivotscope diff --service shop --release 1.5.0 --base-release 1.4.0 --since 24h

        pivotscope diff --service shop --since 1h --base-range 25h..24h

        pivotscope diff --service shop --variant new --base-variant old --per request
    """
    if per not in UNITS:
        raise UsageError(f"--per {per}: expected one of {', '.join(UNITS)}")
    selection = options.selection(since, until, service, environment, release, variant=variant)
    request = query_pb2.DiffHotspotsRequest(
        base=options.base_selection(
            selection,
            service=base_service,
            environment=base_environment,
            version=base_release,
            variant=base_variant,
            span=base_range,
        ),
        selection=selection,
        limit=min(limit, PAGE),
        libraries=libraries,
        by_self=self_time,
        per=UNITS[per][0],
    )
    answer = ask(collector, token_file, lambda stub, call: pages(stub.DiffHotspots, request, call, "functions", limit))
    write(_table(answer, per), output)


def _table(answer: query_pb2.DiffHotspotsResponse, per: str) -> Table:
    _, what, factor, unit = UNITS[per]

    def show(value: float) -> str:
        return f"{factor * value:.3g} {unit}"

    columns = (
        Column("function", "function"),
        Column("path", "file"),
        Column("base", "base", lambda value: "not seen" if value is None else show(value), right=True),
        Column("value", "now", lambda value: "not seen" if value is None else show(value), right=True),
        Column("difference_text", "difference", right=True),
        Column("interval", "95 % interval", right=True),
        Column("ratio", "ratio", lambda value: "new" if value is None else f"{value:.2f}", right=True),
    )
    rows = [_row(one, factor, unit) for one in answer.functions]
    notes = [_side("base", answer.base), _side("now", answer.selection)]
    if answer.matched > len(rows):
        values = [factor * value for one in answer.functions for value in (one.base.estimate, one.value.estimate)]
        more, later = answer.matched - len(rows), signed(factor * answer.later_difference, *values)
        notes.insert(0, f"{more} more differ by {later} {unit} in all; --limit shows them.")
    if any(one.insufficient for one in answer.functions):
        notes.insert(0, "* fewer than 8 windows on a side: the interval is not to be trusted yet.")
    return Table(columns, rows, f"Functions by difference: {what}", tuple(notes))


def _row(one: query_pb2.HotspotDiff, factor: float, unit: str) -> dict[str, Any]:
    values = factor * one.base.estimate, factor * one.value.estimate
    bounds = one.difference.estimate, one.difference.low, one.difference.high
    difference, low, high = (signed(factor * bound, *values) for bound in bounds)
    certain = "" if difference == "0" or one.difference.low <= 0.0 <= one.difference.high else " !"
    mark = " *" if one.insufficient else certain
    return {
        "function": one.qualified_name,
        "path": one.path,
        "codebase": one.codebase,
        "language": one.language,
        "owner": one.owner,
        "base": one.base.estimate if one.HasField("base") else None,
        "base_low": one.base.low if one.HasField("base") else None,
        "base_high": one.base.high if one.HasField("base") else None,
        "value": one.value.estimate if one.HasField("value") else None,
        "value_low": one.value.low if one.HasField("value") else None,
        "value_high": one.value.high if one.HasField("value") else None,
        **interval_fields("difference", one.difference),
        "difference_text": f"{difference} {unit}",
        "interval": f"{low} to {high} {unit}{mark}",
        "ratio": one.ratio or None,
        "base_samples": one.base_samples,
        "samples": one.samples,
        "insufficient": one.insufficient,
    }


def _side(name: str, side: query_pb2.DiffSide) -> str:
    whole = side.cpu_seconds
    lost = 1.0 - side.attributed_cpu_seconds / whole if whole > 0.0 else 0.0
    requests = f" over {counted(round(side.requests), 'request')}" if side.requests else ""
    return (
        f"{name}: {moment(side.since_unix_ns)} to {moment(side.until_unix_ns)}, "
        f"{seconds(whole)} CPU-seconds{requests}, {percent(lost)} unattributed; "
        f"{counted(side.samples, 'sample')} in {counted(side.windows, 'window')}."
    )
