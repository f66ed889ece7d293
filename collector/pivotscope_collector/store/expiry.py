"""Whole days of raw rows are dropped when they expire; the tables' TTLs remove the rest with the engine's merges."""

import logging
from datetime import UTC, datetime, timedelta

from pivotscope_collector.settings import Retention
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.selection import DAY, HOUR, MINUTE, Kept

BACKSTOP_DAYS = 3
"""How many days after they expire the engine's TTL removes raw rows, if they were not dropped before: time for roll-ups
that a collector was not there for."""

_LOG = logging.getLogger(__name__)
_BY_DAY = ("windows",)
_SECOND = 1_000_000_000


def kept(retention: Retention, now_ns: int) -> Kept:
    """What is kept now of minutes and hours; a bucket that is about to go does not count."""
    now = now_ns // _SECOND
    minutes, hours = (now - days * DAY for days in (retention.minute_days, retention.hour_days))
    return Kept((minutes // HOUR + 1) * HOUR, (hours // DAY + 1) * DAY)


def takes_back_to(client: Client, now_ns: int, raw_days: int) -> int:
    """How old windows may be, in seconds, so that their minutes can be rolled up anew. Raises StoreError.

    A day less than raw rows are kept. Where they were kept for less before, only minutes since those that have lost
    theirs: rolled up anew, such a one would shrink to what came late. The youngest day is always taken.
    """
    now = now_ns // _SECOND
    oldest = now - (raw_days - 1) * DAY
    lost: int = client.query("rolled_without_raw", {"since": oldest})["minute"][0]
    return min(now - oldest, max(DAY, now - lost - MINUTE))


def expire(client: Client, now_ns: int, raw_days: int, cluster: str = "") -> int:
    """Drop the partitions of days that ended more than `raw_days` ago; returns how many. Raises StoreError.

    A day with a minute that was not rolled up yet stays: its TTL, some days later, is the end of it.
    """
    oldest = datetime.fromtimestamp(now_ns / 1e9, UTC) - timedelta(days=raw_days)
    dropped = 0
    clause = f" ON CLUSTER `{cluster}`" if cluster else ""
    for table in _BY_DAY:
        bound = {"table": table, "oldest": int(oldest.strftime("%Y%m%d"))}
        for partition in client.query("expired_partitions", bound, of_rows=True)["partition_id"]:
            day = int(datetime.strptime(partition, "%Y%m%d").replace(tzinfo=UTC).timestamp())
            waiting = client.query("unrolled_minutes", {"since": day, "until": day + DAY})["minutes"][0]
            if waiting:
                _LOG.warning("raw rows of %s have expired, but stay: %d minutes are not rolled up", partition, waiting)
                continue
            client.command(
                f"ALTER TABLE {table}{clause} DROP PARTITION ID '{int(partition)}'", database=client.local_database
            )
            dropped += 1
    return dropped
