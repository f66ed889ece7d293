"""Functions of minutes, from the samples of their windows."""

from collections.abc import Iterator, Sequence

import numpy as np

from pivotscope_collector.store.client import Client, statement
from pivotscope_collector.store.fold import Sampled, fold
from pivotscope_collector.store.membership import Indices, Membership
from pivotscope_collector.store.native import Column, Ragged, code
from pivotscope_collector.store.rows import U64

_ROWS = 400_000
"""Stack rows that are in memory at once, unless a service has more in a minute: about 20 bytes each."""
_STACKS = 1_000_000
"""Stacks that are remembered; beyond, all are forgotten and those in use are read again."""
_IDS = 400
"""Stacks that are asked for by their ids: parameters travel in an address, which servers keep short."""
_NAMES = ("service", "environment", "version", "variant", "language", "mode")


class FunctionMinutes:
    """Computes rows of functions_minute. Remembers which functions stacks hold, so not for several threads at once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._membership = Membership()

    def roll(self, minutes: Sequence[int], revision: int) -> None:
        """Store the functions of these minutes (unix seconds). Raises StoreError."""
        seen = self._client.arrays(statement("rollup_seen"), {"minutes": list(minutes)}).get("stack_id")
        if seen is None or isinstance(seen, Ragged):
            return
        self._learn(seen, minutes)
        for some, services in self._parts(minutes):
            self._part(some, services, revision)

    def _learn(self, stack_ids: U64, minutes: Sequence[int]) -> None:
        """Read the functions of stacks that are not remembered."""
        if len(self._membership) > _STACKS:
            self._membership = Membership()
        missing = stack_ids[self._membership.find(stack_ids) < 0].tolist()
        if not missing:
            return
        bound = {"ids": missing if len(missing) <= _IDS else [], "minutes": list(minutes)}
        found = self._client.arrays(statement("rollup_stacks"), bound)
        if not found:
            return
        ids, functions = np.asarray(found["stack_id"]), _ragged(found["functions"])
        fresh = self._membership.find(ids) < 0
        lengths: Indices = np.diff(functions.ends.astype(np.int64), prepend=0).astype(np.int64)
        ends = np.cumsum(lengths[fresh]).astype(np.uint64)
        if len(ends):
            self._membership.add(ids[fresh], ends, functions.values[np.repeat(fresh, lengths)])

    def _parts(self, minutes: Sequence[int]) -> Iterator[tuple[list[int], list[str]]]:
        """Minutes and services that are computed at once; those of one pool and minute stay together."""
        sizes = self._client.query("rollup_sizes", {"minutes": list(minutes)})
        entries = list(zip(sizes["minute"], sizes["service"], sizes["rows"], strict=True))
        if sum(rows for _, _, rows in entries) <= _ROWS:
            yield list(minutes), sorted(set(sizes["service"]))
            return
        for minute in minutes:
            services: list[str] = []
            size = 0
            for _, service, rows in (entry for entry in entries if entry[0] == minute):
                if services and size + rows > _ROWS:
                    yield [minute], services
                    services, size = [], 0
                services.append(service)
                size += rows
            if services:
                yield [minute], services

    def _part(self, minutes: list[int], services: list[str], revision: int) -> None:
        bound = {"minutes": minutes, "services": services}
        windows = self._client.arrays(statement("rollup_windows"), bound)
        if not windows:
            return
        # Asked for after the windows, so every window's pool is there.
        keys = self._client.query("rollup_keys", bound)
        order = np.argsort(np.array(keys["pool_key"], np.uint64))
        place = np.searchsorted(np.array(keys["pool_key"], np.uint64), np.asarray(windows["pool_key"]), sorter=order)
        stacks, counts, natives = (_ragged(windows[name]) for name in ("stack_ids", "counts", "natives"))
        sampled = Sampled(
            pool=order[place],
            period=np.asarray(windows["period_ns"], np.float64),
            ends=stacks.ends.astype(np.int64),
            stack_ids=stacks.values,
            counts=counts.values,
            natives=natives.values,
        )
        found = fold(sampled, self._membership)
        pool = found.pop("pool")
        names = {name: code(keys[name]) for name in _NAMES}
        columns: dict[str, Column] = {
            "bucket": np.array(keys["bucket"], np.uint32)[pool],
            **{name: column.take(pool) for name, column in names.items()},
            **found,
            "revision": np.full(len(pool), revision, np.uint64),
        }
        if len(pool):
            self._client.insert("functions_minute", columns)


def _ragged(column: object) -> Ragged:
    if not isinstance(column, Ragged):
        raise TypeError(f"expected an array column, got {type(column).__name__}")
    return column
