"""`pivotscope collector check`: what the store holds, what it costs, and what is wrong with it."""

from typing import Any

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask_admin
from pivotscope_collector.reports.table import Column, Output, Table, write, write_json


def size(value: float) -> str:
    """Bytes with three significant digits and a unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000.0:
            return f"{value:.3g} {unit}"
        value /= 1000.0
    return f"{value:,.3g} TB"


COLUMNS = (
    Column("table", "table"),
    Column("rows", "rows", "{:,}".format, right=True),
    Column("bytes", "on disk", size, right=True),
    Column("bytes_a_row", "bytes a row", lambda value: "" if value is None else f"{value:.1f}", right=True),
    Column("bytes_a_day", "a day", size, right=True),
    Column("ttl_days", "kept for days", lambda value: str(value) if value else "ever", right=True),
    Column("bytes_when_full", "then", size, right=True),
    Column("parts", "parts", right=True),
)


def check_command(
    output: options.OutputOption = Output.TABLE, collector: Address = DEFAULT_ADDRESS, token_file: TokenFile = None
) -> None:
    """Sizes, growth, days left and problems of a running collector's store; exit code 1 if there are problems.

    JSON has all of it, CSV the tables.

    For example:

        pivotscope collector check --output json
    """
    request = query_pb2.CheckRequest()
    answer = ask_admin(
        collector, token_file, lambda stub, call: stub.Check(request, metadata=call.metadata, timeout=call.timeout)
    )
    if output is Output.JSON:
        write_json(_document(answer))
    else:
        write(Table(COLUMNS, [_row(table) for table in answer.tables], notes=_notes(answer)), output)
    if answer.problems:
        raise typer.Exit(1)


def _row(table: query_pb2.TableSize) -> dict[str, Any]:
    return {
        "table": table.table,
        "rows": table.rows,
        "bytes": table.bytes,
        "bytes_a_row": table.bytes / table.rows if table.rows else None,
        "bytes_a_day": table.bytes_a_day,
        "ttl_days": table.ttl_days,
        "bytes_when_full": table.bytes_when_full,
        "parts": table.parts,
    }


def _notes(answer: query_pb2.CheckResponse) -> tuple[str, ...]:
    whole = sum(table.bytes for table in answer.tables)
    full = sum(table.bytes_when_full for table in answer.tables)
    left = f"the disk lasts {answer.days_left:.0f} days" if answer.days_left else "the disk will do"
    services = [
        f"{entry.service}: {entry.functions:,} functions, {entry.series:,} series, {entry.instances:,} instances and "
        f"{entry.versions:,} versions in two days"
        for entry in answer.cardinality
    ]
    versions = f"collector {answer.collector_version}, engine {answer.engine_version}, schema {answer.schema_version}"
    sizes = f"{size(whole)} in all, {size(full)} once everything is kept as long as it may be"
    return (
        f"{versions}, store {answer.store}",
        f"{sizes}; {size(answer.free_bytes)} free: {left} at this rate",
        *services,
        *(f"problem: {problem}" for problem in answer.problems),
    )


def _document(answer: query_pb2.CheckResponse) -> dict[str, Any]:
    return {
        "collector_version": answer.collector_version,
        "engine_version": answer.engine_version,
        "schema_version": answer.schema_version,
        "store": answer.store,
        "free_bytes": answer.free_bytes,
        "days_left": answer.days_left or None,
        "tables": [_row(table) for table in answer.tables],
        "system_logs": [
            {"table": log.table, "bytes": log.bytes, "ttl_days": log.ttl_days} for log in answer.system_logs
        ],
        "services": [
            {
                "service": entry.service,
                "functions": entry.functions,
                "series": entry.series,
                "instances": entry.instances,
                "versions": entry.versions,
            }
            for entry in answer.cardinality
        ],
        "problems": list(answer.problems),
    }
