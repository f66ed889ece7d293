"""Whole days of raw rows are dropped when they expire; the tables' TTLs remove the rest with the engine's merges."""

from datetime import UTC, datetime, timedelta

from pivotscope_collector.store.client import Client

_BY_DAY = ("windows",)


def expire(client: Client, now_ns: int, raw_days: int) -> int:
    """Drop the partitions of days that ended more than `raw_days` ago; returns how many. Raises StoreError."""
    oldest = datetime.fromtimestamp(now_ns / 1e9, UTC) - timedelta(days=raw_days)
    dropped = 0
    for table in _BY_DAY:
        bound = {"table": table, "oldest": int(oldest.strftime("%Y%m%d"))}
        for partition in client.query("expired_partitions", bound)["partition_id"]:
            client.command(f"ALTER TABLE {table} DROP PARTITION ID '{int(partition)}'")
            dropped += 1
    return dropped
