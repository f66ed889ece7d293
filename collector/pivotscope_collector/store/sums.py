"""Sums of pools and functions as `estimates` takes them, from the columns of the reader."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import SUMS, FunctionColumns, PoolColumns
from pivotscope_collector.estimates.pool import FunctionSums, Pool, PoolSums
from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Client, Columns
from pivotscope_collector.store.reader import Selection


def pool_sums(columns: Columns) -> dict[int, list[PoolSums]]:
    """Pools by bucket (unix seconds of its start), from `reader.pools`."""
    buckets: dict[int, list[PoolSums]] = defaultdict(list)
    for row in rows(columns):
        sums = PoolSums(
            pool=_pool(row),
            mode=Mode(row["mode"]),
            windows=row["complete"],
            samples=row["samples"],
            x=row["x"],
            xx=row["xx"],
            complete_cpu_ns=row["complete_cpu_ns"],
            attributed_ns=row["attributed_ns"],
            unattributed_ns=row["unattributed_ns"],
            complete_delay_ns=row["complete_delay_ns"],
        )
        buckets[row["bucket"]].append(sums)
    return dict(buckets)


def function_sums(columns: Columns) -> dict[int, list[FunctionSums]]:
    """Functions by bucket (unix seconds of its start), from `reader.functions`."""
    buckets: dict[int, list[FunctionSums]] = defaultdict(list)
    for row in rows(columns):
        sums = FunctionSums(
            pool=_pool(row),
            mode=Mode(row["mode"]),
            function=row["function_id"],
            self_samples=row["self"],
            total_samples=row["total"],
            self_native=row["self_native"],
            total_native=row["total_native"],
            self_y=row["self_y"],
            self_yy=row["self_yy"],
            self_xy=row["self_xy"],
            total_y=row["total_y"],
            total_yy=row["total_yy"],
            total_xy=row["total_xy"],
        )
        buckets[row["bucket"]].append(sums)
    return dict(buckets)


def whole(client: Client, selection: Selection) -> tuple[list[PoolSums], PoolColumns, Columns]:
    """Everything that a selection covers, as one stretch: pools, their functions, and the columns of the pools."""
    sources = reader.locate(client, selection)
    columns = client.run(reader.render("pools", selection, sources), reader.bind(selection, sources, {"step": 0}))
    pools = [row for bucket in pool_sums(columns).values() for row in bucket]
    names = dict(zip(columns["pool"], ((row.pool, row.mode) for row in pools), strict=True))
    found = client.arrays(reader.render("function_columns", selection, sources), reader.bind(selection, sources))
    functions: PoolColumns = {}
    if found:
        keys = np.asarray(found["pool"])
        edges = np.flatnonzero(np.diff(keys, prepend=0)).tolist()
        sums = np.stack([np.asarray(found[name], np.float64) for name in SUMS])
        ids = np.asarray(found["function_id"], np.uint64)
        for first, last in zip(edges, [*edges[1:], len(keys)], strict=True):
            # A pool whose first window came between the two statements is for the next question.
            if int(keys[first]) in names:
                pool, mode = names[int(keys[first])]
                functions.setdefault(pool, {})[mode] = FunctionColumns(ids[first:last], sums[:, first:last])
    return pools, functions, columns


def rows(columns: Columns) -> Iterable[Mapping[str, Any]]:
    """Columns as mappings, a row each."""
    names = list(columns)
    return (dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _pool(row: Mapping[str, Any]) -> Pool:
    return Pool(row["service"], row["environment"], row["version"], row["variant"], Language(row["language"]))
