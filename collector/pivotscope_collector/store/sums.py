"""Sums of pools and functions as `estimates` takes them, from the columns of the reader."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import SUMS, FunctionColumns, PoolColumns
from pivotscope_collector.estimates.pool import FunctionSums, Pool, PoolSums
from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Blocks, Client, Columns
from pivotscope_collector.store.native import numbers, ragged, texts
from pivotscope_collector.store.reader import Selection

_NAMES = ("service", "environment", "version", "variant", "language", "mode")
_COUNTS = 7
"""Numbers of a pool in `counts` of sql/pool_sums.sql."""


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


@dataclass(frozen=True, slots=True)
class Pools:
    """Pools in a step each: `steps` are unix seconds of their starts, `keys` those of their functions."""

    steps: Sequence[int]
    keys: Sequence[int]
    sums: Sequence[PoolSums]
    processes: Sequence[int]


def pools_of(found: Blocks) -> Pools:
    """Pools from `sql/pool_sums.sql`."""
    if not found:
        return Pools((), (), (), ())
    names = zip(*(texts(found[name]) for name in _NAMES), strict=True)
    counts = ragged(found["counts"]).values.reshape(-1, _COUNTS).tolist()
    sums = [
        PoolSums(
            pool=Pool(service, environment, version, variant, Language(language)),
            mode=Mode(mode),
            windows=windows,
            samples=samples,
            x=x,
            xx=xx,
            complete_cpu_ns=cpu,
            attributed_ns=attributed,
            unattributed_ns=unattributed,
            complete_delay_ns=delay,
        )
        for (service, environment, version, variant, language, mode), xx, counted in zip(
            names, numbers(found["squares"]).tolist(), counts, strict=True
        )
        for windows, samples, x, cpu, delay, attributed, unattributed in (counted,)
    ]
    steps, keys, processes = (numbers(found[name]).tolist() for name in ("step", "pool", "most_processes"))
    return Pools(steps, keys, sums, processes)


def whole(client: Client, selection: Selection) -> tuple[Pools, PoolColumns]:
    """Everything that a selection covers, as one stretch: pools and their functions."""
    functions, found = reader.blocks(client, selection, reader.Ask("function_sums"), reader.Ask("pool_sums"))
    pools = pools_of(found)
    return pools, _columns(pools, functions)


def stepped(
    client: Client, selection: Selection, step: int, function: int
) -> tuple[dict[int, list[PoolSums]], dict[int, list[FunctionSums]]]:
    """Pools, and a function in them, by step (unix seconds of its start)."""
    asks = reader.Ask("function_sums", function_ids=[function]), reader.Ask("pool_sums")
    found, named = reader.blocks(client, selection, *asks, step_seconds=step)
    pools = pools_of(named)
    by_step: dict[int, list[PoolSums]] = defaultdict(list)
    for start, row in zip(pools.steps, pools.sums, strict=True):
        by_step[start].append(row)
    names = dict(zip(pools.keys, pools.sums, strict=True))
    functions: dict[int, list[FunctionSums]] = defaultdict(list)
    columns = [numbers(found[name]).tolist() for name in ("step", "pool", *SUMS)] if found else []
    for start, key, *sums in zip(*columns, strict=True):
        # A pool whose first window came between the two statements is for the next question.
        one = names.get(key)
        if one is not None:
            functions[start].append(FunctionSums(one.pool, one.mode, function, *sums))
    return dict(by_step), dict(functions)


def _columns(pools: Pools, found: Blocks) -> PoolColumns:
    """Functions by pool and mode from `sql/function_sums.sql`."""
    functions: PoolColumns = {}
    if not found:
        return functions
    names = dict(zip(pools.keys, pools.sums, strict=True))
    keys, ids = numbers(found["pool"]), numbers(found["function_id"])
    edges = np.flatnonzero(np.diff(keys, prepend=~keys[:1])).tolist()
    sums = np.stack([np.asarray(found[name], np.float64) for name in SUMS])
    for first, last in zip(edges, [*edges[1:], len(keys)], strict=True):
        # A pool whose first window came between the two statements is for the next question.
        row = names.get(int(keys[first]))
        if row is not None:
            functions.setdefault(row.pool, {})[row.mode] = FunctionColumns(ids[first:last], sums[:, first:last])
    return functions


def rows(columns: Columns) -> Iterable[Mapping[str, Any]]:
    """Columns as mappings, a row each."""
    names = list(columns)
    return (dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _pool(row: Mapping[str, Any]) -> Pool:
    return Pool(row["service"], row["environment"], row["version"], row["variant"], Language(row["language"]))
