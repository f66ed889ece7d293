"""Restore of a backup into an empty data folder: verified, attached, counted, brought up to date."""

import shutil
from collections.abc import Callable
from pathlib import Path

from pivotscope_collector.errors import StoreError, UsageError
from pivotscope_collector.settings import Retention
from pivotscope_collector.store import folder, manifest, schema
from pivotscope_collector.store.backup import SERVERS_OWN
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.manifest import Manifest

_ROOM = 64 << 20


def restore(backup: Path, client: Client, retention: Retention, tell: Callable[[str], None]) -> Manifest:
    """Fill the empty folder of a client with a backup, and close the client. Blocks; `tell` gets each step in words.

    Nothing is touched before every file of the backup was read and found whole. Raises UsageError and StoreError, and
    then the folder is as empty as it was; one that a crash left half-filled is marked, and no collector opens it.
    """
    if not client.folder:
        raise UsageError(SERVERS_OWN.format(database=client.database))
    target = Path(client.folder)
    held = manifest.read(backup)
    _check_schema(held)
    _check_target(target, held.size)
    tell(f"verifying {len(held.files):,} files, {held.size / 1e6:,.0f} MB")
    manifest.verify(held, backup)
    try:
        _filled(backup, held, client, tell)
        for migration in schema.migrate(client, retention=retention):
            tell(f"applied migration {migration.number:04}_{migration.name}")
        folder.finished(client.folder)
    except BaseException as error:
        client.close()
        folder.empty(client.folder)
        if isinstance(error, OSError):
            raise StoreError(f"{error.filename or target}: {error.strerror}: nothing was restored") from error
        raise
    client.close()
    return held


def _filled(backup: Path, held: Manifest, client: Client, tell: Callable[[str], None]) -> None:
    client.create_database()
    folder.unfinished(client.folder)
    schema.create(client, max(held.schema))
    # Merges drop what is replaced or expired: not before all rows were counted.
    client.command("SYSTEM STOP MERGES")
    # The journal comes from the backup, with the moments at which its migrations were applied.
    client.command("TRUNCATE TABLE migrations")
    found = client.query("table_folders")
    places = {table: Path(place, "detached") for table, place in zip(found["name"], found["folder"], strict=True)}
    for table in held.rows:
        if table not in places:
            raise StoreError(f"the backup has a table {table} that its migrations do not make: it is damaged")
    tell(f"copying into {client.folder}")
    for path in held.files:
        table, _, rest = path.partition("/")
        place = places[table] / rest
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(backup / path, place)
    for table, rows in held.rows.items():
        if rows:
            client.command(f"ALTER TABLE `{table}` ATTACH PARTITION ALL")
        count = client.run(f"SELECT count() AS n FROM `{table}`")["n"][0]  # noqa: S608 - one of our tables
        if count != rows:
            raise StoreError(f"{table} has {count:,} rows attached, expected {rows:,}: nothing was restored")
    tell(f"attached {sum(held.rows.values()):,} rows in {len(held.rows)} tables")
    client.command("SYSTEM START MERGES")


def _check_schema(held: Manifest) -> None:
    known = {migration.number: migration for migration in schema.migrations()}
    try:
        schema.pending(dict(held.schema), list(known.values()))
    except StoreError as error:
        raise UsageError(f"this backup cannot be restored by this version: {error}") from error
    if set(held.schema) != {number for number in known if number <= max(held.schema, default=0)} or not held.schema:
        raise UsageError("this backup cannot be restored: its migrations are not complete")


def _check_target(target: Path, size: int) -> None:
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; expected an empty folder, or none")
    if target.is_dir() and any(target.iterdir()):
        owner = folder.owner(str(target))
        held = f": a collector{owner} has it open" if owner else ""
        raise UsageError(f"{target} is not empty{held}: restore into an empty folder, then point the collector at it")
    existing = next(one for one in (target, *target.absolute().parents) if one.exists())
    free = shutil.disk_usage(existing).free
    if free < size + _ROOM:
        raise StoreError(f"{existing} has {free / 1e6:,.0f} MB free, the backup needs {size / 1e6:,.0f} MB")
