"""Sums of pools and functions as `estimates` takes them, from the columns of the reader."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.pool import FunctionSums, Pool, PoolSums
from pivotscope_collector.store.client import Columns


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
            looked_ns=row["looked_ns"],
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


def rows(columns: Columns) -> Iterable[Mapping[str, Any]]:
    """Columns as mappings, a row each."""
    names = list(columns)
    return (dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _pool(row: Mapping[str, Any]) -> Pool:
    return Pool(row["service"], row["environment"], row["version"], row["variant"], Language(row["language"]))
