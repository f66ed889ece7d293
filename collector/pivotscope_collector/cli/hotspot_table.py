"""Hotspots of analysed profiles as a table."""

from typing import Any

from pivotscope.profile.function import Owner

from pivotscope_collector.analysis.run import Analysis
from pivotscope_collector.cli.format import percent
from pivotscope_collector.reports.table import Column, Table
from pivotscope_collector.scoring.evidence import FunctionEvidence, ServiceEvidence

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


def hotspot_table(analysis: Analysis, limit: int) -> Table:
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
