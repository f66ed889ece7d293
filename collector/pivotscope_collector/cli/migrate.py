"""`pivotscope collector migrate`: bring the store's tables up to date, or see how they stand."""

import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pivotscope_collector.cli import options
from pivotscope_collector.errors import UsageError
from pivotscope_collector.reports.table import Column, Output, Table, write
from pivotscope_collector.settings import load

if TYPE_CHECKING:
    from pivotscope_collector.store.schema import Standing


class Action(StrEnum):
    """What `migrate` may be asked besides migrating."""

    STATUS = "status"


STANDINGS = (
    Column("number", "number", "{:04}".format, right=True),
    Column("name", "name"),
    Column("state", "state"),
    Column("applied", "applied"),
    Column("note", "note"),
)


def migrate_command(
    action: Annotated[Action | None, typer.Argument(help="status: list every migration and how it stands.")] = None,
    *,
    config: Annotated[Path | None, typer.Option("--config", help="TOML file; PIVOTSCOPE_* override it.")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Folder of the embedded store.")] = None,
    clickhouse_url: Annotated[
        str | None, typer.Option("--clickhouse-url", help="A ClickHouse server instead: http(s)://HOST:PORT.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would run, with every statement.")] = False,
    allow_dangerous: Annotated[
        bool, typer.Option("--allow-dangerous", help="Run migrations that lose rows or rewrite tables, too.")
    ] = False,
    output: options.OutputOption = Output.TABLE,
) -> None:
    """Bring the store's tables up to date; `serve` does so too. An embedded store must not be open elsewhere.

    Migrations only go forward. Of several collectors that start together one runs them. Those that would lose rows or
    rewrite a table wait for --allow-dangerous.

    For example:

        pivotscope collector migrate --clickhouse-url https://clickhouse.example:8443 --dry-run

        pivotscope collector migrate status --data-dir /var/lib/pivotscope/data
    """
    # Both bring the engine in; other commands start without.
    from pivotscope_collector.serve import open_store  # noqa: PLC0415
    from pivotscope_collector.store import folder, schema  # noqa: PLC0415
    from pivotscope_collector.store.placement import placed  # noqa: PLC0415

    settings = load(os.environ, config, data_dir=data_dir, clickhouse_url=clickhouse_url)
    if (action or dry_run) and not settings.clickhouse_url and not folder.holds_store(settings.data_dir):
        raise UsageError(f"there is no store in {settings.data_dir}: name its folder with --data-dir")
    client = open_store(settings)
    cluster, retention = settings.clickhouse_cluster, settings.retention
    try:
        if action is Action.STATUS:
            _status(schema.status(client, cluster, retention), output)
            return
        if dry_run:
            found = schema.plan(client, cluster)
        else:
            found = schema.migrate(client, cluster, retention, allow_dangerous=allow_dangerous)
    finally:
        client.close()
    for migration in found:
        typer.echo(f"{'would apply' if dry_run else 'applied'} {migration.number:04}_{migration.name}")
        for statement in migration.statements(cluster, retention) if dry_run else ():
            for one in placed(statement, cluster, settings.clickhouse_database):
                typer.echo(f"-- in {one.database}\n{one.sql};\n" if cluster else f"{one.sql};\n")
    if not found:
        typer.echo("the store is up to date")


def _status(standings: "list[Standing]", output: Output) -> None:
    rows = [
        {
            "number": one.number,
            "name": one.name,
            "state": one.problem or ("applied" if one.applied_at else "pending"),
            "applied": _moment(one.applied_at),
            "note": "; ".join(one.dangers),
        }
        for one in standings
    ]
    write(Table(STANDINGS, rows), output)
    if any(one.problem for one in standings):
        raise typer.Exit(1)


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC") if at else ""
