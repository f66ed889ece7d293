"""From sums of windows to CPU-seconds of functions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import FunctionColumns, Ids, PoolColumns, columns_of, places, union
from pivotscope_collector.estimates.lock import held_fraction
from pivotscope_collector.estimates.merge import merge_functions, merge_pools, without_arms
from pivotscope_collector.estimates.pool import (
    Attribution,
    FunctionCpu,
    FunctionSums,
    Pool,
    PoolCpu,
    PoolSums,
    by_pool,
    whole_cpu,
)
from pivotscope_collector.estimates.seen import ModeFunctions, ModeSums, Rows, Seen
from pivotscope_collector.estimates.share import Vector
from pivotscope_collector.estimates.split import Estimate, bounded, estimate


def attribute(pools: Sequence[PoolSums], functions: Sequence[FunctionSums]) -> Attribution:
    """Split the attributed CPU of each pool over its functions; see ARCHITECTURE.md, "From samples to CPU-seconds".

    Takes one row a pool and mode, and one a pool, mode and function. Functions left out of a pool end in its
    `other_ns`. Attributed CPU of a pool without any sample becomes unattributed: nobody can be named for it.
    """
    found = attribute_columns(pools, columns_of(functions))
    parts = (one.functions(np.arange(len(one.ids))) for one in found.splits)
    return Attribution(found.pools, tuple(row for part in parts for row in part))


def by_service(attribution: Attribution) -> Attribution:
    """The same, summed over environments, versions and variants of a service; half-widths add in quadrature."""
    pools = _pools_by_service(attribution.pools)
    functions: dict[tuple[Pool, int], list[FunctionCpu]] = defaultdict(list)
    for function in attribution.functions:
        functions[without_arms(function.pool), function.function].append(function)
    return Attribution(
        tuple(pools.values()), tuple(merge_functions(pools[pool], parts) for (pool, _), parts in functions.items())
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """Functions of a service over all its pools, in nanoseconds; ids ascend."""

    service: Pool
    ids: Ids
    self_ns: Vector
    total_ns: Vector


@dataclass(frozen=True, slots=True)
class PoolSplit:
    """One pool, the only one of `estimate`, with its functions in ascending order of ids."""

    pool: Pool
    ids: Ids
    estimate: Estimate

    def functions(self, rows: Rows) -> list[FunctionCpu]:
        """The functions in these rows."""
        one = bounded(self.estimate, rows)
        clusters, attributed = int(one.clusters[0, 0]), float(one.attributed[0, 0])
        intervals = zip(one.self_ns.row(0), one.total_ns.row(0), one.native_ns.row(0), strict=True)
        numbers = (column[0].tolist() for column in (one.samples, one.self_native_ns, one.native_known))
        return [
            FunctionCpu(self.pool, key, int(samples), own, total, native, self_native, known, attributed, clusters)
            for key, (own, total, native), samples, self_native, known in zip(
                self.ids[rows].tolist(), intervals, *numbers, strict=True
            )
        ]


@dataclass(frozen=True, slots=True)
class Attributed:
    """An attribution as columns: cheap for thousands of functions of which a few are shown."""

    pools: tuple[PoolCpu, ...]
    splits: tuple[PoolSplit, ...]

    def totals(self) -> list[Totals]:
        """Estimates of every function of every service."""
        grouped: dict[Pool, list[PoolSplit]] = defaultdict(list)
        for one in self.splits:
            grouped[without_arms(one.pool)].append(one)
        return [_totals(service, parts) for service, parts in grouped.items()]

    def services(self) -> tuple[PoolCpu, ...]:
        """The services as wholes."""
        return tuple(_pools_by_service(self.pools).values())

    def functions(self, chosen: Iterable[tuple[Pool, int]]) -> list[FunctionCpu]:
        """These functions of services, in the order given, with their intervals."""
        pools = _pools_by_service(self.pools)
        wanted = list(chosen)
        keys = np.array([key for _, key in wanted], np.uint64)
        of = {service: np.array([own == service for own, _ in wanted], np.bool_) for service in pools}
        parts: list[list[FunctionCpu]] = [[] for _ in wanted]
        for one in self.splits:
            if not len(one.ids):
                continue
            rows = np.searchsorted(one.ids, keys)
            there = of[without_arms(one.pool)] & (one.ids[np.minimum(rows, len(one.ids) - 1)] == keys)
            for place, row in zip(np.flatnonzero(there).tolist(), one.functions(rows[there]), strict=True):
                parts[place].append(row)
        return [merge_functions(pools[service], some) for (service, _), some in zip(wanted, parts, strict=True)]


def attribute_columns(pools: Sequence[PoolSums], functions: PoolColumns) -> Attributed:
    """`attribute`, from columns to columns."""
    results = [_pool(pool, modes, functions.get(pool, {})) for pool, modes in by_pool(pools).items()]
    return Attributed(tuple(pool for pool, _ in results), tuple(parts for _, parts in results if parts is not None))


def _pool(
    pool: Pool, modes: Mapping[Mode, PoolSums], rows: Mapping[Mode, FunctionColumns]
) -> tuple[PoolCpu, PoolSplit | None]:
    attributed, unattributed = whole_cpu(modes.values())
    windows = sum(row.windows for row in modes.values())
    samples = sum(row.samples for row in modes.values())
    sampled = {mode: row for mode, row in modes.items() if row.x > 0.0}
    if not sampled:
        return PoolCpu(pool, attributed, unattributed, 0.0, None, windows, samples), None
    known = union([rows[mode].ids for mode in sampled if mode in rows])
    seen = Seen(
        language=pool.language,
        attributed=np.array([[attributed]]),
        modes={mode: ModeSums.of([row]) for mode, row in sampled.items()},
        functions={mode: _along(rows[mode], known) for mode in sampled if mode in rows},
        shape=(1, len(known)),
    )
    parts = estimate(seen)
    other = max(0.0, attributed - float(parts.self_ns.sum()))
    held = float(held_fraction(seen.modes[Mode.GIL])[0, 0]) if Mode.GIL in sampled else None
    return PoolCpu(pool, attributed, unattributed, other, held, windows, samples), PoolSplit(pool, known, parts)


def _along(found: FunctionColumns, ids: Ids) -> ModeFunctions:
    """Functions of one pool in one mode for `ids`, which hold all of its own."""
    return ModeFunctions(found.along(ids).sums[:, None, :], found.has(ids)[None, :])


def _pools_by_service(pools: Iterable[PoolCpu]) -> dict[Pool, PoolCpu]:
    grouped: dict[Pool, list[PoolCpu]] = defaultdict(list)
    for row in pools:
        grouped[without_arms(row.pool)].append(row)
    return {service: merge_pools(service, parts) for service, parts in grouped.items()}


def _totals(service: Pool, parts: Sequence[PoolSplit]) -> Totals:
    ids = union([one.ids for one in parts])
    own, total = np.zeros(len(ids)), np.zeros(len(ids))
    for one in parts:
        place = places(ids, one.ids)
        own[place] += one.estimate.self_ns[0]
        total[place] += one.estimate.total_ns[0]
    return Totals(service, ids, own, total)
