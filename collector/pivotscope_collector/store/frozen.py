"""Tables of an embedded store held still: hard links to their parts, which merges and expiry leave alone."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from pivotscope_collector.errors import StoreError
from pivotscope_collector.store.client import Client

_PREFIX = "pivotscope_"


@contextmanager
def frozen(client: Client) -> Iterator[Mapping[str, Path]]:
    """Freeze every table while the block runs: table → folder of its parts. Raises StoreError.

    Each table is as at one moment, and the moments are in an order that makes the whole consistent, see `rank`. One at
    a time: what another left behind is taken away.
    """
    shadow = Path(client.folder, "shadow")
    forget(client.folder)
    name = f"{_PREFIX}{uuid4().hex}"
    found = client.query("tables_to_freeze")
    tables = sorted(zip(found["name"], found["uuid"], strict=True), key=lambda one: (rank(one[0]), one[0]))
    try:
        for table, _ in tables:
            client.command(f"ALTER TABLE `{table}` FREEZE WITH NAME '{name}'")
        yield {table: shadow / name / "store" / uuid[:3] / uuid for table, uuid in tables}
    finally:
        forget(client.folder)


def forget(path: str) -> None:
    """Take away what a backup that was cut short left: links that keep parts on disk which the store dropped."""
    for folder in Path(path, "shadow").glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)


def rank(table: str) -> int:
    """In which order tables are frozen while everything goes on.

    First what claims that a minute or an hour is rolled up, then the roll-ups: they hold at least what is claimed, and
    what they hold beyond it is computed again. Then raw rows: they hold at least what the roll-ups were computed from.
    Then names, inserted before the rows that need them: stacks before the functions that they name.
    """
    claims = {"progress": 0, "rolled": 1}
    names = {"stacks": 5, "functions": 6, "series": 6}
    if table in claims:
        return claims[table]
    if table.endswith(("_day", "_hour", "_minute")):
        return 2
    if table in {"windows", "points"}:
        return 3
    return names.get(table, 4)


def rows_of(part: Path) -> int:
    """Rows of a part, as the engine wrote them down. Raises StoreError."""
    try:
        return int((part / "count.txt").read_text("ascii"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{part}: its count of rows cannot be read: {error}") from error
