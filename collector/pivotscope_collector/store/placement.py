"""Where the statements of a migration run: on a single node in one database, on a cluster in two. Pure.

On a cluster rows are in Replicated tables of `<database>_local`, and each has a Distributed table of the same name over
it in `<database>`: every statement that reads or inserts is the same for both. Rows go to shards by the first column of
the sorting key, so all rows that may replace each other are on one shard, and FINAL there is exact.
"""

import re
from dataclasses import dataclass

_NAME = r"(?:IF (?:NOT )?EXISTS )?`?(\w+)`?"
_CREATE = re.compile(rf"^CREATE TABLE {_NAME}", re.IGNORECASE)
_ALTER = re.compile(rf"^ALTER TABLE {_NAME}", re.IGNORECASE)
_DROP = re.compile(rf"^DROP TABLE {_NAME}", re.IGNORECASE)
_COLUMNS = re.compile(r"\b(?:ADD|DROP|MODIFY|RENAME|COMMENT) COLUMN\b", re.IGNORECASE)
_SHARD_BY = re.compile(r"ORDER BY \(?\s*(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Placed:
    """A statement, and the database that its names are of."""

    database: str
    sql: str


def local(database: str, cluster: str) -> str:
    """The database that holds the rows."""
    return f"{database}_local" if cluster else database


def placed(statement: str, cluster: str, database: str) -> list[Placed]:
    """A rendered statement of a migration, with what a cluster needs beside it."""
    code = statement.strip()
    if not cluster:
        return [Placed(database, code)]
    rows = local(database, cluster)
    created = _CREATE.match(code)
    if created:
        return [Placed(rows, code), Placed(database, _distributed(code, created[1], cluster, rows))]
    if _DROP.match(code) or (_ALTER.match(code) and _COLUMNS.search(code)):
        return [Placed(rows, code), Placed(database, code)]
    return [Placed(rows if _ALTER.match(code) else database, code)]


def _distributed(code: str, table: str, cluster: str, rows: str) -> str:
    key = _SHARD_BY.search(code)
    if key is None:
        raise ValueError(f"{table} has no sorting key to spread its rows by")
    return (
        f"CREATE TABLE IF NOT EXISTS `{table}` ON CLUSTER `{cluster}` AS `{rows}`.`{table}`\n"
        f"ENGINE = Distributed(`{cluster}`, `{rows}`, `{table}`, cityHash64({key[1]}))"
    )
