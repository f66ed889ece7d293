"""`pivotscope analyze`: hotspots and a plan from profile files, with no server."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pivotscope.profile.detect import FORMATS
from pivotscope.profile.function import Owner

from pivotscope_collector.analysis.run import Analysis, analyse
from pivotscope_collector.cli import options
from pivotscope_collector.cli.format import percent
from pivotscope_collector.cli.plan import export, show
from pivotscope_collector.errors import UsageError
from pivotscope_collector.planning import plan
from pivotscope_collector.planning.document import Document
from pivotscope_collector.reports.table import Column, Output, Table, write
from pivotscope_collector.scoring.evidence import FunctionEvidence, ServiceEvidence
from pivotscope_collector.scoring.rank import rank
from pivotscope_collector.scoring.settings import ScoringSettings

COLUMNS = (
    Column("function", "function"),
    Column("file", "file"),
    Column("self_share", "self", percent, right=True),
    Column("total_share", "total", percent, right=True),
    Column("interval", "95 % interval", right=True),
    Column("native", "native", lambda value: "unknown" if value is None else percent(value), right=True),
    Column("complexity", "complexity", lambda value: "" if value is None else str(value), right=True),
)

Row = dict[str, Any]


def analyze(
    targets: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SOURCE|DIR]...", help="Source files to look at, or folders of codebases. Default: here."
        ),
    ] = None,
    *,
    profile_data: Annotated[
        list[Path] | None,
        typer.Option("--profile-data", "-p", help=f"Profile to read, once for each: {', '.join(FORMATS)}."),
    ] = None,
    hotspot_only: Annotated[bool, typer.Option("--hotspot-only", help="Print hotspots only, no candidates.")] = False,
    plan_file: Annotated[
        Path | None, typer.Option("--plan", help="Write the plan to this file, such as migration-plan.json.")
    ] = None,
    service: Annotated[str, typer.Option("--service", "-s", help="Name of the service; default: the codebase's.")] = "",
    core_hours: Annotated[
        float | None,
        typer.Option("--core-hours", min=0.0, help="CPU core-hours a year in production, if known: gives dollars."),
    ] = None,
    price: Annotated[float | None, typer.Option(help="Dollars a vCPU-hour.")] = None,
    engineer_week: Annotated[float | None, typer.Option(help="Dollars for a week of one engineer.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Rows to print.")] = 20,
    output: options.OutputOption = Output.TABLE,
) -> None:
    """Find hotspots and plan a migration from profile files.

    For example:

        pivotscope analyze app.py --profile-data app.prof --hotspot-only

        pivotscope analyze src/ --profile-data app.prof --plan migration-plan.json
    """
    if not profile_data:
        raise UsageError(f"--profile-data is missing: name a profile to read ({', '.join(FORMATS)})")
    if hotspot_only and plan_file is not None:
        raise UsageError("--hotspot-only and --plan exclude each other: a plan is made of candidates")
    analysis = analyse(targets or [], profile_data, service, core_hours)
    hotspots = _hotspots(analysis, limit)
    if hotspot_only:
        write(hotspots, output)
        return
    document = _plan(analysis, _settings(price, engineer_week))
    if plan_file is not None:
        export(document, plan_file)
        typer.echo(
            f"{plan_file}: {len(document['candidates'])} candidates of {document['total_files']} files", err=True
        )
    if output is Output.TABLE:
        write(hotspots, output)
    show(document, output, limit)


def _settings(price: float | None, engineer_week: float | None) -> ScoringSettings:
    settings = ScoringSettings()
    return replace(
        settings,
        price=settings.price if price is None else price,
        engineer_week=settings.engineer_week if engineer_week is None else engineer_week,
    )


def _plan(analysis: Analysis, settings: ScoringSettings) -> Document:
    return plan.build(analysis.evidence, rank(analysis.evidence, settings), settings, time.time_ns())


def _hotspots(analysis: Analysis, limit: int) -> Table:
    """The application's functions by total share; of the files that were asked about, where some were."""
    rows = [
        _row(service, entry)
        for service in analysis.evidence.services
        for entry in service.functions
        if _wanted(analysis, service, entry)
    ]
    rows.sort(key=lambda row: (-row["total_share"], -row["self_share"], row["file"], row["function"]))
    notes = analysis.notes
    if analysis.files and not rows and analysis.evidence.services:
        asked = ", ".join(sorted(path for _, path in analysis.files))
        notes = (*notes, f"no function of {asked} is in the profiles")
    if len(rows) > limit:
        notes = (f"{len(rows) - limit} more; raise --limit to see them", *notes)
    title = "Hotspots: shares of the profiled time"
    return Table(COLUMNS, rows[:limit], title, notes)


def _wanted(analysis: Analysis, service: ServiceEvidence, entry: FunctionEvidence) -> bool:
    function = entry.function
    return (
        function.owner is Owner.APPLICATION
        and function.codebase == service.codebase
        and (not analysis.files or (function.codebase, function.path) in analysis.files)
    )


def _row(service: ServiceEvidence, entry: FunctionEvidence) -> Row:
    own, total = entry.self_share, entry.total_share
    return {
        "service": service.service,
        "language": service.language.value,
        "function": entry.function.qualified_name,
        "file": entry.function.path,
        "self_share": own.estimate,
        "total_share": total.estimate,
        "total_share_low": total.low,
        "total_share_high": total.high,
        "interval": "too little data" if total.insufficient else f"{percent(total.low)} to {percent(total.high)}",
        "native": entry.native if entry.native_known else None,
        "calls_per_second": entry.calls,
        "lines": entry.facts.lines if entry.facts is not None else None,
        "complexity": entry.facts.complexity if entry.facts is not None else None,
    }
