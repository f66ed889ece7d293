"""Migrations: SQL files in order, rendered for one node or a cluster, recorded with their checksums."""

import hashlib
import logging
import re
import time
from dataclasses import dataclass
from importlib import resources
from string import Template

from pivotscope_collector.errors import StoreError
from pivotscope_collector.settings import Retention
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.dangers import Column, dangers
from pivotscope_collector.store.expiry import BACKSTOP_DAYS
from pivotscope_collector.store.lock import held
from pivotscope_collector.store.placement import placed

_LOG = logging.getLogger(__name__)

_JOURNAL = """\
CREATE TABLE IF NOT EXISTS migrations ${cluster}
(
    number     UInt32,
    name       String,
    checksum   String,
    applied_at DateTime('UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(applied_at)
ORDER BY number"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `migrations/`. The checksum is over its template, so changed settings do not change it."""

    number: int
    name: str
    template: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file's text."""
        return hashlib.sha256(self.template.encode()).hexdigest()

    def statements(self, cluster: str, retention: Retention) -> list[str]:
        """The statements to run, in order, without comments."""
        code = "\n".join(line for line in self.template.splitlines() if not line.strip().startswith("--"))
        return [part for part in render(code, cluster, retention).split(";") if part.strip()]


def migrations() -> list[Migration]:
    """Every migration that this version knows, in order."""
    found = []
    for entry in resources.files(__package__).joinpath("migrations").iterdir():
        number, _, name = entry.name.removesuffix(".sql").partition("_")
        if entry.name.endswith(".sql"):
            found.append(Migration(int(number), name, entry.read_text("utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def render(template: str, cluster: str, retention: Retention) -> str:
    """A statement for a single node (`cluster` empty) or for every node of a cluster."""
    return Template(template).substitute(
        cluster=f"ON CLUSTER `{cluster}`" if cluster else "",
        replicated="Replicated" if cluster else "",
        raw_days=retention.raw_days + BACKSTOP_DAYS,
        minute_days=retention.minute_days,
        hour_days=retention.hour_days,
        day_days=retention.day_days,
        dictionary_days=retention.dictionary_days,
    )


def pending(applied: dict[int, str], known: list[Migration]) -> list[Migration]:
    """Migrations still to run, given number → checksum of those applied.

    Raises StoreError where an applied file has changed since, or the store is newer than this version.
    """
    by_number = {migration.number: migration for migration in known}
    for number, checksum in sorted(applied.items()):
        if number not in by_number:
            raise StoreError(
                f"the store has migration {number:04}, this version knows up to {max(by_number):04}: "
                "upgrade the collector"
            )
        if by_number[number].checksum != checksum:
            raise StoreError(
                f"migration {number:04}_{by_number[number].name} differs from what was applied to the store: "
                "migrations are never edited; restore the file and add a new one"
            )
    return [migration for migration in known if migration.number not in applied]


def plan(client: Client, cluster: str = "") -> list[Migration]:
    """What `migrate` would run. Only the journal's table is created."""
    client.create_database(cluster)
    _make_journal(client, cluster)
    return pending(applied(client), migrations())


def applied(client: Client) -> dict[int, str]:
    """Number → checksum of the migrations in the store's journal."""
    rows = client.run("SELECT number, argMax(checksum, applied_at) AS checksum FROM migrations GROUP BY number")
    return dict(zip(rows["number"], rows["checksum"], strict=True))


@dataclass(frozen=True, slots=True)
class Standing:
    """A migration and how it stands to a store: applied at `applied_at` (unix seconds), or pending where that is 0.

    `problem` says why it cannot be run or relied on; `dangers` are told of pending ones.
    """

    number: int
    name: str
    applied_at: int = 0
    problem: str = ""
    dangers: tuple[str, ...] = ()


def status(client: Client, cluster: str = "", retention: Retention | None = None) -> list[Standing]:
    """Every migration that the store or this version knows, in order. Only the journal's table is created."""
    client.create_database(cluster)
    _make_journal(client, cluster)
    journal = client.query("migrations_applied")
    known = {migration.number: migration for migration in migrations()}
    found = []
    for number, name, checksum, at in zip(
        journal["number"], journal["name"], journal["checksum"], journal["applied"], strict=True
    ):
        migration = known.pop(number, None)
        problem = "of a newer version" if migration is None else ""
        if migration is not None and migration.checksum != checksum:
            problem = "differs from what was applied"
        found.append(Standing(number, name, at, problem))
    columns = _columns(client)
    for migration in known.values():
        said = _dangers(migration, cluster, retention or Retention(), columns)
        found.append(Standing(migration.number, migration.name, dangers=said))
    return sorted(found, key=lambda standing: standing.number)


def migrate(
    client: Client, cluster: str = "", retention: Retention | None = None, *, allow_dangerous: bool = False
) -> list[Migration]:
    """Bring the store up to date; returns what ran. Forward only; of several collectors one does it, the others wait.

    Statements are idempotent (IF NOT EXISTS), so that a migration cut short runs again from its start. What `dangers`
    objects to is refused before anything runs, unless it is allowed. Given a retention, tables of before follow it too.
    """
    wanted = retention or Retention()
    done = _migrate(client, cluster, wanted, allow_dangerous=allow_dangerous) if plan(client, cluster) else []
    if retention is not None:
        set_retention(client, cluster, wanted)
        for table in bound_system_logs(client, cluster, wanted.system_log_days):
            _LOG.warning("system.%s grows without bound, and its TTL may not be set from here", table)
    return done


def create(client: Client, through: int) -> None:
    """Make the tables of an empty embedded store as migrations up to number `through` left them, for a restore."""
    _make_journal(client, "")
    for migration in migrations():
        if migration.number <= through:
            _apply(client, migration, "", Retention())


def _migrate(client: Client, cluster: str, retention: Retention, *, allow_dangerous: bool) -> list[Migration]:
    with held(client, cluster) as renew:
        done = pending(applied(client), migrations())
        columns = _columns(client)
        said = [text for one in done for text in _dangers(one, cluster, retention, columns)]
        if said and not allow_dangerous:
            raise StoreError(
                f"{client.location}: migrations are pending that need a person: {'; '.join(said)}. Make a backup, then "
                "run `pivotscope collector migrate --allow-dangerous`"
            )
        for migration in done:
            renew()
            _apply(client, migration, cluster, retention)
    return done


def _apply(client: Client, migration: Migration, cluster: str, retention: Retention) -> None:
    for statement in migration.statements(cluster, retention):
        _run(client, statement, cluster)
    client.insert(
        "migrations",
        {
            "number": [migration.number],
            "name": [migration.name],
            "checksum": [migration.checksum],
            "applied_at": [int(time.time())],
        },
    )


def _make_journal(client: Client, cluster: str) -> None:
    if cluster and client.query("tables_with_rows")["name"]:
        raise StoreError(
            f"{client.location}: the tables of {client.database} hold rows themselves; on a cluster they belong into "
            f"{client.local_database}. Stop all collectors, run RENAME DATABASE `{client.database}` TO "
            f"`{client.local_database}` ON CLUSTER `{cluster}`, and start again"
        )
    _run(client, render(_JOURNAL, cluster, Retention()), cluster)


def _run(client: Client, statement: str, cluster: str) -> None:
    for one in placed(statement, cluster, client.database):
        client.command(one.sql, database=one.database)


def _columns(client: Client) -> dict[tuple[str, str], Column]:
    found = client.query("columns_of_tables", of_rows=True)
    rows = zip(found["table"], found["name"], found["type"], found["key"], strict=True)
    return {(table, name): Column(kind, bool(key)) for table, name, kind, key in rows}


def _dangers(
    migration: Migration, cluster: str, retention: Retention, columns: dict[tuple[str, str], Column]
) -> tuple[str, ...]:
    statements = migration.statements(cluster, retention)
    return tuple(f"{migration.number:04} {text}" for one in statements for text in dangers(one, columns))


def ttls(retention: Retention) -> dict[str, str]:
    """The TTL of every table that has one, as the settings want it: one source for all."""
    found: dict[str, str] = {}
    for migration in migrations():
        for statement in migration.statements("", retention):
            table = re.match(r"\s*CREATE TABLE IF NOT EXISTS (\w+)", statement)
            ttl = re.search(r"^TTL (.+)\s*$", statement, re.MULTILINE)
            if table and ttl:
                found[table[1]] = ttl[1].strip()
    return found


def set_retention(client: Client, cluster: str, retention: Retention) -> list[str]:
    """Have tables that were made under other settings keep rows for as long as these say; returns their names.

    Parts that are there already are marked anew behind the caller's back, also over a restart: of each the column of
    time is read, and nothing is rewritten. What has expired then leaves with the next merges.
    """
    clause = f" ON CLUSTER `{cluster}`" if cluster else ""
    wanted = ttls(retention)
    sizes = client.query("table_sizes", of_rows=True)
    changed = []
    for table, days in zip(sizes["table"], sizes["ttl_days"], strict=True):
        ttl = wanted.get(table)
        if ttl and days != int(ttl.partition("toIntervalDay(")[2].partition(")")[0]):
            alter = f"ALTER TABLE `{table}`{clause} MODIFY"
            client.command(f"{alter} SETTING materialize_ttl_recalculate_only = 1", database=client.local_database)
            client.command(
                f"{alter} TTL {ttl} SETTINGS materialize_ttl_after_modify = 1, alter_sync = 0",
                database=client.local_database,
            )
            changed.append(table)
    return changed


def bound_system_logs(client: Client, cluster: str, days: int) -> list[str]:
    """Give the engine's own logs that grow without bound a TTL of `days`; returns those that it refused.

    Logs with a TTL of their own stay as they are; 0 days leaves all of them alone.
    """
    clause = f" ON CLUSTER `{cluster}`" if cluster else ""
    logs = client.query("system_logs")
    refused = []
    for table, ttl in zip(logs["table"], logs["ttl_days"], strict=True):
        if ttl or not days:
            continue
        try:
            client.command(
                f"ALTER TABLE system.`{table}`{clause} MODIFY TTL event_date + toIntervalDay({int(days)}) "
                "SETTINGS materialize_ttl_after_modify = 0"
            )
        except StoreError:
            refused.append(table)
    return refused


def set_fsync(client: Client, cluster: str = "", *, on: bool) -> None:
    """Have inserts survive a loss of power, at their cost, or not. A crash of the process loses nothing either way."""
    clause = f" ON CLUSTER `{cluster}`" if cluster else ""
    for table in client.query("tables_to_sync", {"on": int(on)}, of_rows=True)["name"]:
        client.command(
            f"ALTER TABLE `{table}`{clause} MODIFY SETTING "
            f"fsync_after_insert = {int(on)}, fsync_part_directory = {int(on)}",
            database=client.local_database,
        )
