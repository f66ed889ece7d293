"""What a migration may not do unasked."""

import pytest
from pivotscope_collector.settings import Retention
from pivotscope_collector.store.dangers import Column, dangers
from pivotscope_collector.store.schema import migrations

COLUMNS = {
    ("windows", "service"): Column("LowCardinality(String)", key=True),
    ("windows", "host"): Column("LowCardinality(String)", key=False),
    ("windows", "count"): Column("UInt32", key=False),
    ("windows", "at"): Column("DateTime64(3, 'UTC')", key=False),
}


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DROP TABLE windows", "drops what is stored"),
        ("TRUNCATE TABLE IF EXISTS windows ON CLUSTER `main`", "deletes rows"),
        ("DELETE FROM windows WHERE service = 'x'", "deletes rows"),
        ("ALTER TABLE windows DELETE WHERE service = 'x'", "rewrites every part"),
        ("ALTER TABLE windows UPDATE host = '' WHERE 1", "rewrites every part"),
        ("ALTER TABLE windows DROP PARTITION ID '20260101'", "deletes what is stored there"),
        ("ALTER TABLE windows\n  DROP COLUMN IF EXISTS host", "deletes what is stored there"),
        ("ALTER TABLE windows RENAME COLUMN host TO node", "the version before fail"),
        ("ALTER TABLE windows MODIFY ORDER BY (service)", "the key that makes a row count once"),
        ("ALTER TABLE windows REMOVE TTL", "without bound"),
        ("RENAME TABLE windows TO old", "cannot run again"),
        ("CREATE OR REPLACE TABLE windows (a UInt8) ENGINE = Null", "drops what is stored"),
        ("CREATE TABLE more (a UInt8) ENGINE = Null", "say IF NOT EXISTS"),
        ("ALTER TABLE windows ADD COLUMN zone String", "say IF NOT EXISTS"),
        ("ALTER TABLE windows MODIFY COLUMN service String", "part of the key"),
        ("ALTER TABLE windows ON CLUSTER `main` MODIFY COLUMN host String", "only one of them is lowcardinality"),
        ("ALTER TABLE windows MODIFY COLUMN count Nullable(UInt32)", "only one of them is nullable"),
        ("ALTER TABLE windows MODIFY COLUMN count UInt16", "values may not fit"),
        ("ALTER TABLE windows MODIFY COLUMN at DateTime('UTC')", "values may not fit"),
    ],
)
def test_what_is_refused(statement: str, why: str) -> None:
    assert any(why in said for said in dangers(statement, COLUMNS)), list(dangers(statement, COLUMNS))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE IF NOT EXISTS more (a UInt8) ENGINE = Null",
        "ALTER TABLE windows ADD COLUMN IF NOT EXISTS zone LowCardinality(String)",
        "ALTER TABLE windows ADD COLUMN IF NOT EXISTS z String AFTER host, ADD INDEX IF NOT EXISTS i z TYPE set(9)",
        "ALTER TABLE windows MODIFY COLUMN count UInt64",
        "ALTER TABLE windows MODIFY COLUMN at DateTime64(3, 'UTC') CODEC(Delta, ZSTD)",
        "ALTER TABLE windows MODIFY COLUMN host LowCardinality(String) DEFAULT 'x'",
        "ALTER TABLE windows MODIFY TTL minute + toIntervalDay(4)",
        "ALTER TABLE windows MODIFY SETTING fsync_after_insert = 1",
    ],
)
def test_what_is_safe(statement: str) -> None:
    assert list(dangers(statement, COLUMNS)) == []


@pytest.mark.parametrize("cluster", ["", "main"])
def test_no_migration_of_this_version_is_dangerous(cluster: str) -> None:
    statements = [one for migration in migrations() for one in migration.statements(cluster, Retention())]
    assert [said for one in statements for said in dangers(one, {})] == []
