"""When a function was first sampled: from the day to its hour to its minute, so that only days are read whole."""

from string import Template

from pivotscope_collector.store.client import Client, statement
from pivotscope_collector.store.native import numbers
from pivotscope_collector.store.selection import DAY, HOUR, MINUTE
from pivotscope_collector.store.sources import Progress, progress_of

_LEVELS = (("day", DAY), ("hour", HOUR), ("minute", MINUTE))
_FOREVER = 2**32 - 1


def first_seen(client: Client, function: int) -> int:
    """Unix seconds at the finest level that reaches back so far; 0 where it was never seen. Raises StoreError.

    Before its first minute is rolled up it is when the function was first stored.
    """
    progress = progress_of(client.standing("progress"))
    found, since, until = 0, 0, _FOREVER
    for level, size in _LEVELS:
        sql = Template(statement("first_bucket")).substitute(level=level)
        first = _first(client, sql, function, since, until)
        if first:
            found, since, until = first, first, first + size
        elif not found:
            # A level holds everything before it was closed last: what it has not came later.
            since = progress.get(level, Progress()).open_from
    return found or _first(client, statement("first_stored"), function, since, until)


def _first(client: Client, sql: str, function: int, since: int, until: int) -> int:
    (first,) = numbers(client.blocks(sql, {"function_id": function, "since": since, "until": until})["first"]).tolist()
    return int(first)
