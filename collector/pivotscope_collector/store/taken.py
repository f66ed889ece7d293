"""Names that windows of late are stored under: what a collector that starts takes up from the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pivotscope_collector.store.client import Client, rows
from pivotscope_collector.store.selection import DAY
from pivotscope_collector.store.sources import minutes_rolled


@dataclass(frozen=True, slots=True)
class Taken:
    """Names of a service's windows on one day, in days since 1970."""

    day: int
    service: str
    environments: Sequence[str] = ()
    versions: Sequence[str] = ()
    variants: Sequence[str] = ()


def taken(client: Client, today: int) -> list[Taken]:
    """Names of today and of the day before. Raises StoreError."""
    bound = {"since": (today - 1) * DAY, **minutes_rolled(client).bound()}
    return [Taken(**row) for row in rows(client.query("names_taken", bound))]
