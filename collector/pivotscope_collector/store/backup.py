"""Backup of an embedded store: parts held still, copied with their hashes, whole or not at all."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pivotscope_collector.errors import StoreError, UsageError
from pivotscope_collector.store import manifest, schema
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.frozen import frozen, rows_of
from pivotscope_collector.store.manifest import PARTIAL, File, Manifest

_CHUNK = 4 << 20
_ROOM = 64 << 20
SERVERS_OWN = (
    "the store is a ClickHouse server: it makes backups itself, see https://clickhouse.com/docs/operations/backup. Run "
    "BACKUP DATABASE {database} TO Disk('backups', '{database}.zip') on it, and RESTORE DATABASE {database} FROM "
    "Disk('backups', '{database}.zip') to get it back"
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backup is."""

    bytes: int
    total_bytes: int
    files: int
    total_files: int


Tell = Callable[[Progress], None]
"""Is told of every chunk; what it raises ends the backup, and nothing of it stays."""


def back_up(client: Client, target: Path, now_ns: int, tell: Tell, still: AbstractContextManager[object]) -> Manifest:
    """Write a backup into the new folder `target`. Blocks. Raises UsageError and StoreError; then nothing stays.

    Everything else may go on meanwhile; only what drops whole days of raw rows must not while `still` is held, some
    milliseconds, for the roll-ups frozen before may lack them. The folder gets its name when all of it is on disk.
    """
    if not client.folder:
        raise UsageError(SERVERS_OWN.format(database=client.database))
    draft = target.with_name(target.name + PARTIAL)
    for place in (target, draft):
        if place.exists():
            half = "a backup that was cut short, or is being made" if place == draft else "it"
            raise UsageError(f"{place} exists: remove {half}, or choose another name")
    try:
        with ExitStack() as held:
            with still:
                tables = held.enter_context(frozen(client))
            made = _copied(tables, target, draft, tell, lambda rows, files: _manifest(client, now_ns, rows, files))
    except OSError as error:
        raise StoreError(f"{error.filename or target}: {error.strerror}: nothing was backed up") from error
    return made


def _manifest(client: Client, now_ns: int, rows: Mapping[str, int], files: Mapping[str, File]) -> Manifest:
    return Manifest(
        made_unix_ns=now_ns,
        collector=version("pivotscope"),
        engine=client.run("SELECT version() AS version")["version"][0],
        database=client.database,
        schema=schema.applied(client),
        rows=rows,
        files=files,
    )


def _copied(
    tables: Mapping[str, Path],
    target: Path,
    draft: Path,
    tell: Tell,
    describe: Callable[[Mapping[str, int], Mapping[str, File]], Manifest],
) -> Manifest:
    parts = [(table, part) for table, folder in tables.items() for part in _parts(folder)]
    sources = {
        f"{table}/{part.name}/{file.relative_to(part).as_posix()}": file
        for table, part in parts
        for file in sorted(part.rglob("*"))
        if file.is_file()
    }
    total = sum(file.stat().st_size for file in sources.values())
    target.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target.parent).free
    if free < total + _ROOM:
        raise StoreError(f"{target.parent} has {free / 1e6:,.0f} MB free, the backup needs {total / 1e6:,.0f} MB")
    draft.mkdir()
    try:
        files: dict[str, File] = {}
        done = 0
        for path, source in sources.items():
            place = draft / path
            place.parent.mkdir(parents=True, exist_ok=True)
            base, count = done, len(files)
            files[path] = _copy(source, place, lambda size: tell(Progress(base + size, total, count, len(sources))))  # noqa: B023 - called within this turn
            done += files[path].size
        rows = {table: sum(rows_of(part) for one, part in parts if one == table) for table in tables}
        made = describe(rows, files)
        manifest.write(made, draft)
        # Everything is on disk before the name says that it is a backup.
        os.sync()
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return made


def _parts(folder: Path) -> list[Path]:
    """Folders of parts; a table without any has no folder."""
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _copy(source: Path, place: Path, tell: Callable[[int], None]) -> File:
    digest = hashlib.sha256()
    size = 0
    with source.open("rb") as reading, place.open("xb") as writing:
        while chunk := reading.read(_CHUNK):
            digest.update(chunk)
            writing.write(chunk)
            size += len(chunk)
            tell(size)
    return File(size, digest.hexdigest())
