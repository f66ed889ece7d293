"""`pivotscope plan`: the current plan, on a screen or as migration-plan.json."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask
from pivotscope_collector.cli.format import counted, percent
from pivotscope_collector.cli.writing import write_file
from pivotscope_collector.errors import UnreachableError, UsageError
from pivotscope_collector.planning.schema import validate
from pivotscope_collector.reports.table import Column, Output, Table, write, write_json

app = typer.Typer(no_args_is_help=True, help="What to move first, in which waves, and what it will bring.")

Row = dict[str, Any]
Document = dict[str, Any]

CANDIDATES = (
    Column("rank", "#", right=True),
    Column("file", "file"),
    Column("function", "function"),
    Column("score", "score", "{:.1f}".format, right=True),
    Column("estimated_speedup", "speedup", right=True, show="{:.3g}×".format),
    Column("speedup_interval", "P10 to P90", right=True),
    Column("share", "share", percent, right=True),
    Column("service_speedup", "service", "{:.2f}×".format, right=True),
    Column("effort_weeks", "weeks", "{:.1f}".format, right=True),
    Column("value", "$/year a week", lambda value: "unknown" if value is None else f"{value:,.0f}", right=True),
    Column("bridge", "bridge"),
    Column("crossing", "crossing"),
    Column("phase", "phase", right=True),
    Column("verdict", "verdict"),
)
PHASES = (
    Column("phase", "phase", right=True),
    Column("name", "name"),
    Column("files", "files", right=True),
    Column("estimated_effort_weeks", "weeks", "{:.1f}".format, right=True),
    Column("recommended", "recommended", lambda value: "yes" if value else "no"),
    Column("reason", "why"),
)
JOURNEY = (
    Column("name", "stage"),
    Column("span", "when"),
    Column("reason", "computed from"),
)
CHECKS = (
    Column("name", "practice"),
    Column("state", "state"),
    Column("requirement", "asks for"),
)

CodebaseOption = Annotated[str, typer.Option("--codebase", help="One codebase; default: all.")]


@app.callback()
def plan() -> None:
    """What to move first, in which waves, and what it will bring."""


@app.command("show")
def show_plan(
    *,
    codebase: CodebaseOption = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Candidates to print.")] = 20,
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Show the current plan.

    For example:

        pivotscope plan show --codebase shop
    """
    show(fetch(collector, token_file, codebase), output, limit)


@app.command("export")
def export_plan(
    path: Annotated[Path, typer.Argument(help="File to write; - is standard output.")] = Path("migration-plan.json"),
    *,
    codebase: CodebaseOption = "",
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Write the current plan to a file.

    For example:

        pivotscope plan export migration-plan.json
    """
    document = fetch(collector, token_file, codebase)
    export(document, path)
    typer.echo(f"{path}: {extent(document)}", err=True)


def fetch(address: str, token_file: Path | None, codebase: str) -> Document:
    """The current plan of a collector. UnreachableError where it sends none that can be read."""
    request = query_pb2.GetPlanRequest(codebase=codebase)
    answer = ask(
        address, token_file, lambda stub, call: stub.GetPlan(request, metadata=call.metadata, timeout=call.timeout)
    )
    try:
        document: Document = json.loads(answer.document)
        validate(document)
    except (ValueError, UsageError) as error:
        raise UnreachableError(f"{address} sent a plan that this version cannot read: {error}") from error
    return document


def show(document: Document, output: Output = Output.TABLE, limit: int = 20) -> None:
    """Print a plan: all of it as JSON, its candidates as CSV, or tables of candidates, phases, journey and checks."""
    candidates = [_candidate(entry) for entry in document["candidates"]]
    if output is Output.JSON:
        write_json(document)
        return
    notes = _notes(document, len(candidates) - limit)
    write(Table(CANDIDATES, candidates[:limit], _title(document), notes), output)
    if output is Output.TABLE:
        for table in (
            Table(PHASES, document["phases"], "Phases"),
            Table(JOURNEY, [_stage(entry) for entry in document["journey"]], "Journey"),
            Table(CHECKS, document["checks"], "Checks"),
        ):
            typer.echo()
            write(table, output)


def extent(document: Document) -> str:
    """How much a plan is about."""
    return f"{counted(len(document['candidates']), 'candidate')} of {counted(document['total_files'], 'file')}"


def export(document: Document, path: Path) -> None:
    """Validate a plan and write it to a file, whole or not at all. Raises UsageError."""
    validate(document)
    write_file(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _title(document: Document) -> str:
    codebases = ", ".join(entry["codebase"] for entry in document["codebases"]) or "no codebase"
    return f"Migration plan for {codebases}: {counted(document['total_files'], 'file')}, {document['source']}"


def _notes(document: Document, left_out: int) -> tuple[str, ...]:
    totals = document["totals"]
    weeks, dollars = totals["effort_weeks"], totals["saved_dollars"]
    saving = ""
    if dollars is not None:
        saving = f", saving ${dollars['p50']:,.0f} a year (${dollars['p10']:,.0f} to ${dollars['p90']:,.0f})"
    moving = f"{counted(totals['recommended_functions'], 'function')} in {counted(totals['recommended_files'], 'file')}"
    effort = f"{weeks['p50']:.1f} engineer weeks ({weeks['p10']:.1f} to {weeks['p90']:.1f})"
    notes = [f"Recommended: {moving}, {effort}{saving}"]
    if any(entry["core_hours_per_year"] is None for entry in document["evidence"]["services"]):
        notes.append("Money is unknown where no CPU was measured; scores are then of the share saved for each week.")
    if left_out > 0:
        notes.append(f"{left_out} more; raise --limit to see them")
    return tuple(notes)


def _candidate(entry: Document) -> Row:
    speedup = entry["speedup"]
    return {
        "rank": entry["rank"],
        "file": entry["file"],
        "function": entry["functions"][0]["function"],
        "service": entry["service"],
        "score": entry["score"],
        "estimated_speedup": entry["estimated_speedup"],
        "speedup_interval": f"{speedup['p10']:.3g} to {speedup['p90']:.3g}",
        "share": entry["share"]["estimate"],
        "service_speedup": entry["service_speedup"]["p50"],
        "effort_weeks": entry["effort_weeks"]["p50"],
        "value": entry["value"]["p50"] if entry["value"] is not None else None,
        "bridge": entry["bridge"]["name"],
        "crossing": entry["bridge"]["crossing"],
        "phase": entry["phase"],
        "verdict": entry["verdict"],
        "reason": entry["reason"],
    }


def _stage(entry: Document) -> Row:
    first, last = entry["start_week"], entry["end_week"]
    span = "none" if entry["weeks"] == 0 else f"week {first}" if first == last else f"weeks {first} to {last}"
    return {"name": entry["name"], "span": span, "reason": entry["reason"]}
