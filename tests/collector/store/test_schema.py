import re

import pytest
from pivotscope_collector.errors import StoreError
from pivotscope_collector.settings import Retention
from pivotscope_collector.store import schema
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.expiry import BACKSTOP_DAYS
from pivotscope_collector.store.schema import Migration, migrations, pending


def _statements(cluster: str) -> list[str]:
    return [one for migration in migrations() for one in migration.statements(cluster, Retention(raw_days=11))]


def test_one_node_has_no_trace_of_a_cluster() -> None:
    for statement in _statements(""):
        assert "CLUSTER" not in statement
        assert "Replicated" not in statement
        assert "$" not in statement


def test_a_cluster_has_it_in_every_statement() -> None:
    for statement in _statements("main"):
        assert "ON CLUSTER `main`" in statement
        assert "ReplicatedReplacingMergeTree" in statement or "CREATE TABLE" not in statement


def test_ttls_come_from_the_settings() -> None:
    windows = next(statement for statement in _statements("") if "EXISTS windows" in statement)
    assert f"toIntervalDay({11 + BACKSTOP_DAYS})" in windows


def test_no_column_has_a_default_which_inserts_would_not_ask_for() -> None:
    assert not any(re.search(r"\b(DEFAULT|MATERIALIZED|EPHEMERAL)\b", one.template) for one in migrations())


def test_numbers_ascend_without_a_gap() -> None:
    numbers = [migration.number for migration in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_what_is_pending() -> None:
    one, two = Migration(1, "one", "a"), Migration(2, "two", "b")
    assert pending({}, [one, two]) == [one, two]
    assert pending({1: one.checksum}, [one, two]) == [two]
    with pytest.raises(StoreError, match="0001_one differs"):
        pending({1: "other"}, [one, two])
    with pytest.raises(StoreError, match="upgrade the collector"):
        pending({1: one.checksum, 3: "x"}, [one, two])


@pytest.mark.engine
def test_listing_changes_nothing(clean_stores: object) -> None:
    client: Client = clean_stores(migrated=False)  # type: ignore[operator]
    assert schema.plan(client) == migrations()
    assert client.run("SHOW TABLES")["name"] == ["migrations"]
    assert schema.migrate(client) == migrations()
    assert schema.plan(client) == []


@pytest.mark.engine
def test_a_migration_cut_short_runs_again(store: Client) -> None:
    store.command("TRUNCATE TABLE migrations")
    store.command("DROP TABLE progress")
    assert schema.migrate(store) == migrations()
    assert "progress" in store.run("SHOW TABLES")["name"]


@pytest.mark.engine
def test_syncing_can_be_switched(store: Client) -> None:
    schema.set_fsync(store, on=True)
    assert store.query("tables_to_sync", {"on": 1})["name"] == []
    schema.set_fsync(store, on=False)
    assert store.query("tables_to_sync", {"on": 0})["name"] == []
