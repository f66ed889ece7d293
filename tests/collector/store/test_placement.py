"""A cluster's two databases: what is rendered is parsed by the engine, and everything runs on the layout."""

import re
from collections.abc import Callable, Iterator

import pytest
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.errors import StoreError
from pivotscope_collector.settings import Retention
from pivotscope_collector.store import reader, schema, storage
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.expiry import expire
from pivotscope_collector.store.placement import Placed, placed
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.writer import Writer

from tests.collector.conftest import database_name

DAY_NS = 86_400 * 10**9


def _placed(cluster: str) -> list[Placed]:
    return [
        one
        for migration in schema.migrations()
        for statement in migration.statements(cluster, Retention())
        for one in placed(statement, cluster, "kept")
    ]


@pytest.mark.engine
@pytest.mark.parametrize("cluster", ["", "main"])
def test_both_renderings_are_parsed_by_the_engine(clean_stores: Callable[..., Client], cluster: str) -> None:
    client = clean_stores(migrated=False)
    client.create_database()
    for one in _placed(cluster):
        (parsed,) = client.run("SELECT formatQuery({sql:String}) AS sql", {"sql": one.sql})["sql"]
        assert ("ON CLUSTER main" in parsed) == bool(cluster)
        if cluster and not parsed.startswith("ALTER"):
            assert any(word in parsed for word in ("Replicated", "Distributed(main", "VIEW"))


def test_every_table_has_a_distributed_one_over_it() -> None:
    rows = {name for one in _placed("main") for name in re.findall(r"^CREATE TABLE IF NOT EXISTS (\w+)", one.sql)
            if one.database == "kept_local"}  # fmt: skip
    over = {
        found[1]: found[2]
        for one in _placed("main")
        if (found := re.search(r"Distributed\(`main`, `kept_local`, `(\w+)`, cityHash64\((\w+)\)\)", one.sql))
    }
    assert rows == set(over)
    pools = {name for name in over if name.startswith(("pools_", "functions_"))}
    assert {over[name] for name in {"windows", "points", "series", *pools}} == {"service"}
    assert (over["functions"], over["stacks"], over["rolled"]) == ("function_id", "stack_id", "minute")


def test_changes_of_columns_reach_both() -> None:
    add = "ALTER TABLE t ON CLUSTER `main` ADD COLUMN IF NOT EXISTS x UInt8"
    assert [one.database for one in placed(add, "main", "kept")] == ["kept_local", "kept"]
    ttl = "ALTER TABLE t ON CLUSTER `main` MODIFY TTL at + toIntervalDay(3)"
    assert [one.database for one in placed(ttl, "main", "kept")] == ["kept_local"]
    assert placed(add, "", "kept") == [Placed("kept", add)]
    view = "CREATE VIEW IF NOT EXISTS v ON CLUSTER `main` AS SELECT 1"
    assert [one.database for one in placed(view, "main", "kept")] == ["kept"]


def test_a_table_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="no sorting key"):
        placed("CREATE TABLE IF NOT EXISTS t (x UInt8) ENGINE = Memory", "main", "kept")


class _OneNode(Client):
    """The cluster's layout on the embedded engine: a Buffer that holds nothing back stands for Distributed."""

    def command(self, sql: str, parameters: object = None, database: str | None = None) -> None:
        sql = sql.replace("ON CLUSTER `main`", "").replace("ReplicatedReplacing", "Replacing")
        sql = re.sub(
            r"Distributed\(`main`, (`\w+`), (`\w+`), cityHash64\(\w+\)\)", r"Buffer(\1, \2, 1, 0, 0, 0, 0, 0, 0)", sql
        )
        super().command(sql, parameters, database)  # type: ignore[arg-type]


@pytest.fixture
def spread(engine_path: str) -> Iterator[Client]:
    client = _OneNode(path=engine_path, database=database_name(), cluster="main")
    # Settings of Distributed tables are those of a server alone.
    client._insert_settings = {}
    yield client
    for database in (client.database, client.local_database):
        client.command(f"DROP DATABASE IF EXISTS `{database}`", database="")
    client.close()


@pytest.mark.engine
def test_everything_runs_on_two_databases(spread: Client, clock: SystemClock, window_rows: Callable[..., Rows]) -> None:
    assert schema.migrate(spread, "main", Retention()) == schema.migrations()
    assert schema.migrate(spread, "main", Retention(minute_days=70)) == []
    marked = spread.run(
        "SELECT table FROM system.mutations WHERE database = {rows:String} AND command LIKE '%MATERIALIZE TTL%'",
        {"rows": spread.local_database},
    )
    assert set(marked["table"]) == {"pools_minute", "functions_minute", "points"}
    schema.set_fsync(spread, "main", on=True)
    schema.set_fsync(spread, "main", on=False)
    counters = Counters()
    Writer(spread, Reception(spread, clock), counters, 30.0).write(window_rows({(1, 2): 3, (1,): 1}))
    assert spread.run("SELECT count() AS n FROM windows FINAL")["n"] == [1]
    assert spread.run(f"SELECT count() AS n FROM {spread.local_database}.windows")["n"] == [1]  # noqa: S608 - ours
    assert spread.run("SELECT sum(count) AS n FROM samples")["n"] == [4]
    clock.now += 600.0  # type: ignore[attr-defined]
    RollUp(spread, clock, Reception(spread, clock), counters, margin_seconds=1.0, raw_days=14).run()
    selection = Selection(clock.unix_ns() - 3_600 * 10**9, clock.unix_ns())
    found = reader.functions(spread, selection)
    assert dict(zip(found["function_id"], found["total"], strict=True)) == {1: 4, 2: 3}
    costs = {cost.table: cost for cost in storage.tables(spread)}
    assert costs["windows"].rows == 1
    assert costs["pools_minute"].ttl_days == 70
    assert expire(spread, clock.unix_ns() + 20 * DAY_NS, 14, "main") == 1
    assert spread.run("SELECT count() AS n FROM windows")["n"] == [0]


@pytest.mark.engine
def test_tables_of_an_older_layout_are_named_with_the_way_on(clean_stores: Callable[..., Client]) -> None:
    client = clean_stores()
    moved = Client(path=client.folder, database=client.database, cluster="main")
    try:
        with pytest.raises(StoreError, match=f"RENAME DATABASE `{client.database}` TO `{client.database}_local`"):
            schema._make_journal(moved, "main")
    finally:
        moved.close()
