"""What the store costs: bytes a table, growth a day, and how long the disk lasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from pivotscope_collector.store.client import Client, rows

MANY_PARTS = 300
"""Parts of one partition at which the engine begins to hold inserts back (its default is 1,000)."""


@dataclass(frozen=True, slots=True)
class TableCost:
    """A table: `span_days` is the time that its rows are about, 0 where they are about none; TTL 0 keeps for ever."""

    table: str
    rows: int
    bytes: int
    ttl_days: int
    parts: int
    most_parts: int
    span_days: float

    def bytes_a_day(self, age_days: float) -> float:
        """Bytes that a day adds; of tables without time over the `age_days` of the store."""
        return self.bytes / max(1.0, self.span_days or age_days)


def tables(client: Client) -> list[TableCost]:
    """Every table, the largest first. Raises StoreError."""
    return [TableCost(**row) for row in rows(client.query("table_sizes", of_rows=True))]


def damage(client: Client) -> list[str]:
    """What the engine set aside because it could not read it, as problems in words. Raises StoreError."""
    found = [f"{row['table']} {row['parts']}" for row in rows(client.query("broken_parts"))]
    said = (
        f"parts of tables are damaged and were set aside ({', '.join(found)}): what they held is in no answer; "
        "look at the disk, and restore a backup"
    )
    return [said] if found else []


def days_left(costs: Sequence[TableCost], free_bytes: float, age_days: float) -> float:
    """Days until the disk is full at the present rate; inf where what expires makes room enough.

    A table grows until its oldest rows expire, and then no more. What is kept for years counts as growing until then.
    """
    moments = []
    for cost in costs:
        age = cost.span_days or age_days
        rate = cost.bytes_a_day(age_days)
        moments.append((max(0.0, cost.ttl_days - age) if cost.ttl_days else inf, rate))
    moments.sort()
    rate, day, left = sum(rate for _, rate in moments), 0.0, free_bytes
    for end, own in moments:
        if rate <= 0.0:
            return inf
        if left <= rate * (end - day):
            return day + left / rate
        left -= rate * (end - day)
        day, rate = end, rate - own
    return inf
