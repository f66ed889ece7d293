"""`pivotscope collector backup` and `restore`: a store in a folder that can be kept elsewhere, and back."""

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pivotscope.v1 import backup_pb2

from pivotscope_collector.cli.check import size
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask_admin
from pivotscope_collector.cli.format import counted
from pivotscope_collector.errors import UsageError
from pivotscope_collector.settings import load

if TYPE_CHECKING:
    from pivotscope_collector.store.backup import Progress

_SECONDS = 86_400.0

Config = Annotated[Path | None, typer.Option("--config", help="TOML file; PIVOTSCOPE_* override it.")]


def backup_command(
    target: Annotated[
        str,
        typer.Argument(help="A new folder beneath the collector's backup_dir; with --data-dir, any path."),
    ] = "",
    *,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Open this folder instead: no collector may have it open.")
    ] = None,
    config: Config = None,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Back up the embedded store of a running collector, or with --data-dir that of a stopped one.

    Agents, roll-ups and queries go on meanwhile. Everything that was acknowledged before is in it. The folder appears
    under its name once it is whole; copy it to another machine from there. A ClickHouse server makes its own backups.

    For example:

        pivotscope collector backup nightly

        pivotscope collector backup /mnt/backups/pivotscope --data-dir /var/lib/pivotscope/data
    """
    if data_dir is not None or config is not None:
        _offline(target, data_dir, config)
        return
    last = ask_admin(
        collector,
        token_file,
        lambda stub, call: _followed(
            stub.Backup(backup_pb2.BackupRequest(target=target), metadata=call.metadata, timeout=_SECONDS)
        ),
    )
    _say(last.path, last.bytes, last.total_files, last.rows)


def _followed(answers: Iterable[backup_pb2.BackupResponse]) -> backup_pb2.BackupResponse:
    last = backup_pb2.BackupResponse()
    for last in answers:
        if not last.path:
            _tell(last.bytes, last.total_bytes)
    return last


def _offline(target: str, data_dir: Path | None, config: Path | None) -> None:
    # All of these bring the engine in; other commands start without.
    from pivotscope_collector.api.backup import name_of  # noqa: PLC0415
    from pivotscope_collector.serve import open_store  # noqa: PLC0415
    from pivotscope_collector.store.backup import back_up  # noqa: PLC0415

    settings = load(os.environ, config, data_dir=data_dir)
    if settings.embedded and not Path(settings.data_dir, "metadata").is_dir():
        raise UsageError(f"{settings.data_dir} holds no store; name the collector's data_dir with --data-dir")
    now_ns = time.time_ns()
    place = Path(target or settings.backup_folder / name_of(now_ns)).absolute()
    told = time.monotonic()

    def tell(progress: "Progress") -> None:
        nonlocal told
        if time.monotonic() > told + 0.5:
            told = time.monotonic()
            _tell(progress.bytes, progress.total_bytes)

    client = open_store(settings)
    try:
        made = back_up(client, place, now_ns, tell, nullcontext())
    finally:
        client.close()
    _say(str(place), made.size, len(made.files), made.rows)


def _tell(done: int, total: int) -> None:
    typer.echo(f"{size(done)} of {size(total)}", err=True)


def _say(path: str, total: int, files: int, rows: Mapping[str, int]) -> None:
    held = f"{counted(sum(rows.values()), 'row')} of {counted(len(rows), 'table')}"
    typer.echo(f"{path}: {size(total)} in {counted(files, 'file')}, {held}")


def restore_command(
    backup: Annotated[Path, typer.Argument(help="A folder that `pivotscope collector backup` made.")],
    *,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="An empty folder, or one to be made.")] = None,
    config: Config = None,
    verify: Annotated[bool, typer.Option("--verify", help="Only read every file, and say if all are whole.")] = False,
) -> None:
    """Fill an empty data folder with a backup, and bring its tables up to date; then start the collector on it.

    Every file is verified before anything is written, and rows are counted afterwards.

    For example:

        pivotscope collector restore /mnt/backups/nightly --data-dir /var/lib/pivotscope/data
    """
    # Both bring the engine in; other commands start without.
    from pivotscope_collector.serve import open_store  # noqa: PLC0415
    from pivotscope_collector.store import manifest  # noqa: PLC0415
    from pivotscope_collector.store.restore import restore  # noqa: PLC0415

    if verify:
        held = manifest.read(backup)
        manifest.verify(held, backup)
        _say(str(backup), held.size, len(held.files), held.rows)
        return
    settings = load(os.environ, config, data_dir=data_dir)
    held = restore(backup, open_store(settings), settings.retention, lambda step: typer.echo(step, err=True))
    _say(settings.data_dir, held.size, len(held.files), held.rows)
