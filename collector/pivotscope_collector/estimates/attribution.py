"""From sums of windows to CPU-seconds of functions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import Ids, PoolColumns, columns_of, find, places, union
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
from pivotscope_collector.estimates.seen import InParts, ModeSums, Rows, Seen
from pivotscope_collector.estimates.share import Vector
from pivotscope_collector.estimates.split import Estimate, Split, bounded, estimate


def attribute(pools: Sequence[PoolSums], functions: Sequence[FunctionSums]) -> Attribution:
    """Split the attributed CPU of each pool over its functions; see ARCHITECTURE.md, "From samples to CPU-seconds".

    Takes one row a pool and mode, and one a pool, mode and function. Functions left out of a pool end in its
    `other_ns`. Attributed CPU of a pool without any sample becomes unattributed: nobody can be named for it.
    """
    found = attribute_columns(pools, columns_of(functions))
    rows = (some for one in found.splits for some in one.functions(np.arange(len(one.ids))))
    return Attribution(found.pools, tuple(row for some in rows for row in some))


@dataclass(frozen=True, slots=True)
class Totals:
    """Functions of a service over all its pools, in nanoseconds; ids ascend."""

    service: Pool
    ids: Ids
    self_ns: Vector
    total_ns: Vector


@dataclass(frozen=True, slots=True)
class ServiceSplit:
    """Pools of one service that were sampled in the same modes, with their functions in ascending order of ids.

    `estimate` has a row a pool.
    """

    service: Pool
    pools: Sequence[Pool]
    ids: Ids
    estimate: Estimate

    def functions(self, rows: Rows) -> list[list[FunctionCpu]]:
        """The functions in these rows: of each, those of the pools that have seen it."""
        parts = bounded(self.estimate, rows)
        found: list[list[FunctionCpu]] = [[] for _ in rows]
        for number in range(len(self.pools)):
            seen = np.flatnonzero(parts.there[number])
            for place, one in zip(seen.tolist(), self._pool(parts, number, self.ids[rows], seen), strict=True):
                found[place].append(one)
        return found

    def _pool(self, parts: Split, number: int, ids: Ids, seen: Rows) -> list[FunctionCpu]:
        """Those of one pool that it has `seen`; `parts` are of these ids."""
        pool, clusters, attributed = self.pools[number], int(parts.clusters[number, 0]), parts.attributed[number, 0]
        intervals = (one.row(number, seen) for one in (parts.self_ns, parts.total_ns, parts.native_ns))
        numbers = (one[number, seen].tolist() for one in (parts.samples, parts.self_native_ns, parts.native_known))
        return [
            FunctionCpu(pool, key, int(samples), own, total, native, self_native, known, float(attributed), clusters)
            for key, own, total, native, samples, self_native, known in zip(
                ids[seen].tolist(), *intervals, *numbers, strict=True
            )
        ]


@dataclass(frozen=True, slots=True)
class Attributed:
    """An attribution as columns: cheap for thousands of functions of which a few are shown."""

    pools: tuple[PoolCpu, ...]
    splits: tuple[ServiceSplit, ...]

    def totals(self) -> list[Totals]:
        """Estimates of every function of every service."""
        grouped: dict[Pool, list[ServiceSplit]] = defaultdict(list)
        for one in self.splits:
            grouped[one.service].append(one)
        return [_totals(service, parts) for service, parts in grouped.items()]

    def services(self) -> tuple[PoolCpu, ...]:
        """The services as wholes."""
        return tuple(_pools_by_service(self.pools).values())

    def functions(self, chosen: Iterable[tuple[Pool, int]]) -> list[FunctionCpu]:
        """These functions of services, in the order given, with their intervals."""
        pools = _pools_by_service(self.pools)
        wanted = list(chosen)
        keys = np.array([key for _, key in wanted], np.uint64)
        parts: list[list[FunctionCpu]] = [[] for _ in wanted]
        for one in self.splits:
            own = np.flatnonzero([service == one.service for service, _ in wanted])
            rows, there = find(one.ids, keys[own])
            for place, found in zip(own[there].tolist(), one.functions(rows), strict=True):
                parts[place] += found
        return [merge_functions(pools[service], some) for (service, _), some in zip(wanted, parts, strict=True)]


_Sampled = tuple[Pool, Mapping[Mode, PoolSums]]


def attribute_columns(pools: Iterable[PoolSums], functions: PoolColumns) -> Attributed:
    """`attribute`, from columns to columns. Pools of a service that were sampled alike are split at once."""
    found: dict[Pool, PoolCpu] = {}
    alike: dict[tuple[Pool, frozenset[Mode]], list[_Sampled]] = defaultdict(list)
    for pool, modes in by_pool(pools).items():
        windows, samples = (sum(getattr(row, name) for row in modes.values()) for name in ("windows", "samples"))
        found[pool] = PoolCpu(pool, *whole_cpu(modes.values()), 0.0, None, windows, samples)
        sampled = {mode: row for mode, row in modes.items() if row.x > 0.0}
        if sampled:
            alike[without_arms(pool), frozenset(sampled)].append((pool, sampled))
    splits = [_split(service, some, found, functions) for (service, _), some in alike.items()]
    for one in splits:
        found |= {pool.pool: pool for pool in _told(one, found)}
    return Attributed(tuple(found.values()), tuple(splits))


def _split(
    service: Pool, sampled: Sequence[_Sampled], cpu: Mapping[Pool, PoolCpu], functions: PoolColumns
) -> ServiceSplit:
    pools = [pool for pool, _ in sampled]
    modes = list(sampled[0][1])
    seen = {
        mode: [(row, part) for row, pool in enumerate(pools) for part in functions.get(pool, {}).get(mode, ())]
        for mode in modes
    }
    ids = union([part.ids for parts in seen.values() for _, part in parts])
    estimated = estimate(
        Seen(
            language=service.language,
            attributed=np.array([[cpu[pool].attributed_ns] for pool in pools]),
            modes={mode: ModeSums.of([rows[mode] for _, rows in sampled]) for mode in modes},
            functions={mode: InParts(ids, len(pools), parts) for mode, parts in seen.items()},
            shape=(len(pools), len(ids)),
        )
    )
    return ServiceSplit(service, pools, ids, estimated)


def _told(one: ServiceSplit, cpu: Mapping[Pool, PoolCpu]) -> Iterable[PoolCpu]:
    """The pools with what their split tells of them."""
    gil = one.estimate.seen.modes.get(Mode.GIL)
    held = [None] * len(one.pools) if gil is None else held_fraction(gil)[:, 0].tolist()
    given = one.estimate.self_ns.sum(axis=1).tolist()
    for pool, part, own in zip(one.pools, held, given, strict=True):
        yield replace(cpu[pool], other_ns=max(0.0, cpu[pool].attributed_ns - own), held=part)


def _pools_by_service(pools: Iterable[PoolCpu]) -> dict[Pool, PoolCpu]:
    grouped: dict[Pool, list[PoolCpu]] = defaultdict(list)
    for row in pools:
        grouped[without_arms(row.pool)].append(row)
    return {service: merge_pools(service, parts) for service, parts in grouped.items()}


def _totals(service: Pool, parts: Sequence[ServiceSplit]) -> Totals:
    ids = union([one.ids for one in parts])
    own, total = np.zeros(len(ids)), np.zeros(len(ids))
    for one in parts:
        place = places(ids, one.ids)
        own[place] += one.estimate.self_ns.sum(axis=0)
        total[place] += one.estimate.total_ns.sum(axis=0)
    return Totals(service, ids, own, total)
