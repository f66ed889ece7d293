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


@contextmanager
def held(
    client: Client,
    cluster: str = "",
    *,
    patience: float = PATIENCE_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the lock while the block runs; waits for another holder. Raises StoreError where it is held for too long.

    Creating a table that exists fails, and renaming one away succeeds for one caller only: that is all a lock needs.
    Its comment names the holder. A lock as old as STALE_SECONDS is that of a process that died, and is broken.
    """
    clause = f" ON CLUSTER `{cluster}`" if cluster else ""
    mine = f"{socket.gethostname()} pid {os.getpid()} {uuid4().hex}"
    deadline = time.monotonic() + patience
    while not _taken(client, clause, mine):
        holder = client.query("lock_holder", {"table": _TABLE})
        if holder["age"] and holder["age"][0] > STALE_SECONDS:
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
        yield
    finally:
        with suppress(StoreError):
            client.command(f"DROP TABLE IF EXISTS {_TABLE}{clause}")


def _taken(client: Client, clause: str, mine: str) -> bool:
    try:
        client.command(f"CREATE TABLE {_TABLE}{clause} (held UInt8) ENGINE = Memory COMMENT '{mine}'")
    except StoreError as error:
        if "already exists" in str(error) or "TABLE_ALREADY_EXISTS" in str(error):
            return False
        raise
    return client.query("lock_holder", {"table": _TABLE})["holder"] == [mine]


def _break(client: Client, clause: str, holder: str) -> None:
    """Take a stale lock away. Only one of several that find it so can rename it; a fresh one is put back."""
    aside = f"{_TABLE}_{uuid4().hex}"
    with suppress(StoreError):
        client.command(f"RENAME TABLE {_TABLE} TO {aside}{clause}")
        if client.query("lock_holder", {"table": aside})["holder"] != [holder]:
            client.command(f"RENAME TABLE {aside} TO {_TABLE}{clause}")
        else:
            client.command(f"DROP TABLE IF EXISTS {aside}{clause}")
