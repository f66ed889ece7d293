"""How far a range is rolled up, for readers that can do without its last minutes."""

from collections import Counter
from dataclasses import replace

from pivotscope_collector.store.client import Client
from pivotscope_collector.store.selection import MINUTE, Selection
from pivotscope_collector.store.sources import locate

_NANOSECONDS = 10**9
_RECENT = 10 * MINUTE


def settled(client: Client, selection: Selection, raw_rows: int) -> Selection | None:
    """The selection without its last minutes, as far as raw rows would have to be read for more than `raw_rows` stacks.

    Reading a stack's functions from raw rows costs a hundred times what a roll-up costs, in memory too. Nothing where
    that would leave out more than the last minutes: there a roll-up is about to come. Raises StoreError.
    """
    sizes = client.query("rollup_sizes", {"minutes": list(locate(client, selection).dirty)})
    rows: Counter[int] = Counter()
    for minute, count in zip(sizes["minute"], sizes["rows"], strict=True):
        rows[minute] += count
    left, until = rows.total(), selection.until
    for minute in sorted(rows, reverse=True):
        if left <= raw_rows:
            break
        left, until = left - rows[minute], minute
    if until == selection.until:
        return selection
    if selection.until - until > _RECENT:
        return None
    return replace(selection, until_ns=until * _NANOSECONDS)
