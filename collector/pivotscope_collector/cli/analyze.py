"""`pivotscope analyze`: hotspots and a plan from profile files, with no server."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pivotscope.profile.detect import FORMATS

from pivotscope_collector.cli import options
from pivotscope_collector.cli.plan import Document, export, extent, show
from pivotscope_collector.cli.waiting import waiting
from pivotscope_collector.errors import UsageError
from pivotscope_collector.reports.table import Output, write
from pivotscope_collector.scoring.settings import ScoringSettings

if TYPE_CHECKING:
    from pivotscope_collector.analysis.run import Analysis


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
    # The numeric libraries come in here, so that every other command starts without them.
    from pivotscope_collector.analysis.run import analyse  # noqa: PLC0415
    from pivotscope_collector.cli.hotspot_table import hotspot_table  # noqa: PLC0415

    with waiting("Reading profiles and the source that they are about …"):
        analysis = analyse(targets or [], profile_data, service, core_hours)
    hotspots = hotspot_table(analysis, limit)
    if hotspot_only:
        write(hotspots, output)
        return
    with waiting("Ranking what could move …"):
        document = _plan(analysis, _settings(price, engineer_week))
    if plan_file is not None:
        export(document, plan_file)
        typer.echo(f"{plan_file}: {extent(document)}", err=True)
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


def _plan(analysis: "Analysis", settings: ScoringSettings) -> Document:
    from pivotscope_collector.planning import plan  # noqa: PLC0415 - as above
    from pivotscope_collector.scoring.rank import rank  # noqa: PLC0415 - as above

    return plan.build(analysis.evidence, rank(analysis.evidence, settings), settings, time.time_ns())
