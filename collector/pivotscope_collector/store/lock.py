"""One collector at a time: a lock that ClickHouse can hold, for what must not run twice at once."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from pivotscope_collector.errors import StoreError
from pivotscope_collector.store.client import Client

STALE_SECONDS = 600
PATIENCE_SECONDS = 120.0
_TABLE = "migration_lock"
_PROCESS = uuid4().hex
"""A pid comes again, in a container nearly always."""


@contextmanager
def held(
    client: Client,
    cluster: str = "",
    *,
    patience: float = PATIENCE_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Callable[[], None]]:
    """Hold the lock while the block runs; waits for another holder. Raises StoreError where it is held for too long.

    Creating a table that exists fails, and renaming one away succeeds for one caller only: that is all a lock needs.
    Its comment names the holder. The lock of a process that died is broken: on a server one that was not renewed for
    STALE_SECONDS, in an embedded store any of another process, for only one can have it open.

    Gives what renews the lock, for between two steps; it raises StoreError where another broke it meanwhile.
    """
    clause = f" ON CLUSTER `{cluster}`" if cluster else ""
    mine = f"{socket.gethostname()} pid {os.getpid()} {_PROCESS} {uuid4().hex}"
    deadline = time.monotonic() + patience
    while not _taken(client, clause, mine):
        holder = client.query("lock_holder", {"table": _TABLE})
        if holder["age"] and _dead(client, holder["holder"][0], holder["age"][0]):
            _break(client, clause, holder["holder"][0])
        elif time.monotonic() > deadline:
            name = holder["holder"][0] if holder["holder"] else "another collector"
            raise StoreError(
                f"{client.location}: {name} has been migrating for over {patience:.0f} s; if it is gone, run "
                f"`pivotscope collector migrate` again in ten minutes, or drop the table {client.database}.{_TABLE}"
            )
        else:
            sleep(0.2)
    try:
        yield lambda: _renew(client, clause, mine)
    finally:
        with suppress(StoreError):
            if _held(client, mine):
                _break(client, clause, mine)


def _taken(client: Client, clause: str, mine: str) -> bool:
    try:
        client.command(f"CREATE TABLE {_TABLE}{clause} (held UInt8) ENGINE = Memory COMMENT '{mine}'")
    except StoreError as error:
        if "already exists" in str(error) or "TABLE_ALREADY_EXISTS" in str(error):
            return False
        raise
    return _held(client, mine)


def _held(client: Client, mine: str) -> bool:
    return bool(client.query("lock_holder", {"table": _TABLE})["holder"] == [mine])


def _dead(client: Client, holder: str, age: int) -> bool:
    return _PROCESS not in holder if client.folder else age > STALE_SECONDS


def _renew(client: Client, clause: str, mine: str) -> None:
    # Whoever holds it by now keeps it: its name is the table's comment, not that of the column.
    client.command(f"ALTER TABLE {_TABLE}{clause} COMMENT COLUMN held '{uuid4().hex}'")
    if not _held(client, mine):
        raise StoreError(f"{client.location}: another collector took over the migration, as this one took too long")


def _break(client: Client, clause: str, holder: str) -> None:
    """Take the lock of a holder away. Only one of several that try can rename it; that of another is put back."""
    aside = f"{_TABLE}_{uuid4().hex}"
    with suppress(StoreError):
        client.command(f"RENAME TABLE {_TABLE} TO {aside}{clause}")
        if client.query("lock_holder", {"table": aside})["holder"] != [holder]:
            client.command(f"RENAME TABLE {aside} TO {_TABLE}{clause}")
        else:
            client.command(f"DROP TABLE IF EXISTS {aside}{clause}")
