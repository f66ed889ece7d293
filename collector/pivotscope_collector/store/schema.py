"""Migrations: SQL files in order, rendered for one node or a cluster, recorded with their checksums."""

import hashlib
import time
from dataclasses import dataclass
from importlib import resources
from string import Template

from pivotscope_collector.errors import StoreError
from pivotscope_collector.settings import Retention
from pivotscope_collector.store.client import Client

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
        raw_days=retention.raw_days,
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
    client.command(render(_JOURNAL, cluster, Retention()))
    return pending(applied(client), migrations())


def applied(client: Client) -> dict[int, str]:
    """Number → checksum of the migrations in the store's journal."""
    rows = client.run("SELECT number, argMax(checksum, applied_at) AS checksum FROM migrations GROUP BY number")
    return dict(zip(rows["number"], rows["checksum"], strict=True))


def migrate(client: Client, cluster: str = "", retention: Retention | None = None) -> list[Migration]:
    """Bring the store up to date; returns what ran. Forward only, and harmless to run twice or from two collectors.

    Statements are idempotent (IF NOT EXISTS), so that a migration cut short runs again from its start.
    """
    done = plan(client, cluster)
    for migration in done:
        for statement in migration.statements(cluster, retention or Retention()):
            client.command(statement)
        client.insert(
            "migrations",
            {
                "number": [migration.number],
                "name": [migration.name],
                "checksum": [migration.checksum],
                "applied_at": [int(time.time())],
            },
        )
    return done


def set_fsync(client: Client, cluster: str = "", *, on: bool) -> None:
    """Have inserts survive a loss of power, at their cost, or not. A crash of the process loses nothing either way."""
    clause = f" ON CLUSTER `{cluster}`" if cluster else ""
    for table in client.query("tables_to_sync", {"on": int(on)})["name"]:
        client.command(
            f"ALTER TABLE `{table}`{clause} MODIFY SETTING "
            f"fsync_after_insert = {int(on)}, fsync_part_directory = {int(on)}"
        )
