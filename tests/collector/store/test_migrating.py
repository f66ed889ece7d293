"""Migrations on a store: once, by one collector, within what is safe, and with the TTLs of the settings."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from pivotscope_collector.errors import StoreError
from pivotscope_collector.settings import Retention
from pivotscope_collector.store import lock, schema
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.schema import Migration, migrations

pytestmark = pytest.mark.engine


def _twin(client: Client) -> Client:
    return Client(path=client._path, url=client._url, database=client.database)


def test_two_collectors_that_start_together_migrate_once(any_client: Client) -> None:
    twin = _twin(any_client)
    start, done = threading.Barrier(2), []

    def run(client: Client) -> None:
        start.wait(10)
        done.append(len(schema.migrate(client)))

    threads = [threading.Thread(target=run, args=[client]) for client in (any_client, twin)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    twin.close()
    assert sorted(done) == [0, len(migrations())]
    assert any_client.run("SELECT count() AS n FROM migrations")["n"] == [len(migrations())]
    assert "migration_lock" not in any_client.run("SHOW TABLES")["name"]


def test_a_lock_that_is_held_names_its_holder(any_client: Client) -> None:
    with (
        lock.held(any_client),
        pytest.raises(StoreError, match=r"pid \d+ .* has been migrating for over 0 s"),
        lock.held(any_client, patience=0.0),
    ):
        raise AssertionError


def test_the_lock_of_the_dead_is_broken(any_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    any_client.command("CREATE TABLE migration_lock (held UInt8) ENGINE = Memory COMMENT 'gone'")
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        monkeypatch.setattr(lock, "STALE_SECONDS", -1)

    with lock.held(any_client, sleep=sleep):
        assert any_client.query("lock_holder", {"table": "migration_lock"})["holder"] != ["gone"]
    # Nobody else can hold an embedded store.
    assert waited == ([] if any_client.folder else [0.2])
    assert any_client.run("SHOW TABLES")["name"] == []


def test_a_lock_that_was_taken_over_is_left_to_its_new_holder(any_client: Client) -> None:
    def holder() -> list[str]:
        return any_client.query("lock_holder", {"table": "migration_lock"})["holder"]

    with lock.held(any_client) as renew:
        mine = holder()
        renew()
        assert holder() == mine
        any_client.command("DROP TABLE migration_lock")
        any_client.command("CREATE TABLE migration_lock (held UInt8) ENGINE = Memory COMMENT 'next'")
        with pytest.raises(StoreError, match="another collector took over the migration"):
            renew()
    assert holder() == ["next"]


def test_the_lock_is_renewed_before_each_migration(store: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    command = Client.command

    def record(client: Client, sql: str, *arguments: Any, **more: Any) -> None:
        ran.append(sql)
        command(client, sql, *arguments, **more)

    store.command("TRUNCATE TABLE migrations")
    monkeypatch.setattr(Client, "command", record)
    schema.migrate(store)
    assert sum("COMMENT COLUMN" in sql for sql in ran) == len(migrations())


def test_a_dangerous_migration_waits_for_a_person(store: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    later = Migration(9001, "forget", "ALTER TABLE plans ${cluster} DROP COLUMN IF EXISTS content_hash;")
    known = [*migrations(), later]
    monkeypatch.setattr(schema, "migrations", lambda: known)
    with pytest.raises(StoreError, match=r"9001 ALTER TABLE plans DROP COLUMN .*deletes what is stored there"):
        schema.migrate(store)
    (pending,) = [one for one in schema.status(store) if not one.applied_at]
    assert (pending.number, len(pending.dangers)) == (9001, 1)
    assert schema.migrate(store, allow_dangerous=True) == [later]
    assert schema.migrate(store) == []
    assert "content_hash" not in store.run("DESCRIBE TABLE plans")["name"]


def test_the_status_tells_what_was_edited_and_what_is_newer(store: Client) -> None:
    assert all(one.applied_at and not one.problem for one in schema.status(store))
    rows: dict[str, Any] = {
        "number": [1, 9001],
        "name": ["initial", "x"],
        "checksum": ["y", "z"],
        "applied_at": [2**32 - 2] * 2,
    }
    store.insert("migrations", rows)
    problems = {one.number: one.problem for one in schema.status(store) if one.problem}
    assert problems == {1: "differs from what was applied", 9001: "of a newer version"}


def test_tables_follow_the_settings(store: Client) -> None:
    assert schema.set_retention(store, "", Retention()) == []
    wanted = Retention(raw_days=7, minute_days=30)
    changed = schema.set_retention(store, "", wanted)
    assert {"windows", "rolled", "corrections", "pools_minute", "functions_minute", "points"} == set(changed)
    sizes = store.query("table_sizes")
    days = dict(zip(sizes["table"], sizes["ttl_days"], strict=True))
    assert (days["windows"], days["functions_minute"], days["functions_hour"]) == (10, 30, 400)
    assert schema.set_retention(store, "", wanted) == []


def test_rows_that_are_there_follow_too(store: Client) -> None:
    """Shorter and longer; and nothing is done where nothing has changed."""
    day = 86_400
    bucket = int(time.time()) // day * day - 10 * day
    store.insert("pools_minute", {"bucket": [bucket], "service": ["shop"], "revision": [1]})
    for days, changes in ((20, 1), (90, 2), (90, 2)):
        schema.set_retention(store, "", Retention(minute_days=days))
        mutations = store.run("SELECT command FROM system.mutations WHERE table = 'pools_minute' AND NOT is_killed "
                              "AND database = currentDatabase() AND command LIKE '%TTL%'")  # fmt: skip
        assert len(mutations["command"]) == changes
        # They are carried out in their order: this one waits for those before it.
        store.command("ALTER TABLE pools_minute DELETE WHERE 0 SETTINGS mutations_sync = 1")
        parts = store.run(
            "SELECT toUnixTimestamp(delete_ttl_info_max) AS ends FROM system.parts "
            "WHERE database = currentDatabase() AND table = 'pools_minute' AND active"
        )
        assert parts["ends"] == [bucket + days * day]


def test_what_lasts_how_long() -> None:
    """Raw days, minutes weeks, hours months, days years; only the journals of what was done have no end."""
    ttls = schema.ttls(Retention())
    expected = {"windows": 17, "functions_minute": 60, "functions_hour": 400, "functions_day": 1825, "stacks": 1825}
    assert {table: f"toIntervalDay({days})" in ttls[table] for table, days in expected.items()} == dict.fromkeys(
        expected, True
    )


def test_every_table_expires(store: Client) -> None:
    sizes = store.query("table_sizes")
    endless = {name for name, days in zip(sizes["table"], sizes["ttl_days"], strict=True) if not days}
    assert endless == {"migrations", "progress"}
    assert set(sizes["table"]) - endless == set(schema.ttls(Retention()))


def test_the_engines_own_logs_get_an_end(clean_stores: Callable[[], Client]) -> None:
    """On the embedded engine alone: a real server's logs are not ours to change in a test."""
    store = clean_stores()
    assert store.query("system_logs")["table"] == []
    store.command("CREATE TABLE system.query_log (event_date Date, x UInt8) ENGINE = MergeTree ORDER BY x")
    store.command(
        "CREATE TABLE system.text_log (event_date Date, x UInt8) ENGINE = MergeTree ORDER BY x "
        "TTL event_date + INTERVAL 3 DAY"
    )
    try:
        assert schema.bound_system_logs(store, "", 0) == []
        assert store.query("system_logs")["ttl_days"] == [0, 3]
        assert schema.bound_system_logs(store, "", 14) == []
        assert store.query("system_logs")["ttl_days"] == [14, 3]
    finally:
        store.command("DROP TABLE system.query_log")
        store.command("DROP TABLE system.text_log")


def test_the_rendering_for_a_cluster_is_what_the_engine_can_read(any_client: Client) -> None:
    for migration in migrations():
        for statement in migration.statements("main", Retention()):
            (text,) = any_client.run(
                "SELECT formatQuery({text:String}) AS text", {"text": " ".join(statement.split())}
            )["text"]
            assert "ON CLUSTER main" in text.replace("`", "")
