"""From sums of windows to CPU-seconds of functions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain

from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.merge import merge_functions, merge_pools, without_arms
from pivotscope_collector.estimates.pool import Attribution, FunctionCpu, FunctionSums, Pool, PoolCpu, PoolSums
from pivotscope_collector.estimates.split import Seen, base_mode, held_fraction, split

Rows = Mapping[Mode, Mapping[int, FunctionSums]]


def attribute(pools: Sequence[PoolSums], functions: Sequence[FunctionSums]) -> Attribution:
    """Split the attributed CPU of each pool over its functions; see ARCHITECTURE.md, "From samples to CPU-seconds".

    Takes one row a pool and mode, and one a pool, mode and function. Functions left out of a pool end in its
    `other_ns`. Attributed CPU of a pool without any sample becomes unattributed: nobody can be named for it.
    """
    sums: dict[Pool, dict[Mode, PoolSums]] = defaultdict(dict)
    for row in pools:
        sums[row.pool][row.mode] = row
    rows: dict[Pool, dict[Mode, dict[int, FunctionSums]]] = defaultdict(lambda: defaultdict(dict))
    for function in functions:
        rows[function.pool][function.mode][function.function] = function
    results = [_pool(pool, modes, rows[pool]) for pool, modes in sums.items()]
    return Attribution(tuple(pool for pool, _ in results), tuple(chain.from_iterable(parts for _, parts in results)))


def by_service(attribution: Attribution) -> Attribution:
    """The same, summed over environments, versions and variants of a service; half-widths add in quadrature."""
    pools: dict[Pool, list[PoolCpu]] = defaultdict(list)
    for row in attribution.pools:
        pools[without_arms(row.pool)].append(row)
    functions: dict[tuple[Pool, int], list[FunctionCpu]] = defaultdict(list)
    for function in attribution.functions:
        functions[without_arms(function.pool), function.function].append(function)
    merged = {pool: merge_pools(pool, parts) for pool, parts in pools.items()}
    return Attribution(
        tuple(merged.values()),
        tuple(merge_functions(merged[pool], parts) for (pool, _), parts in functions.items()),
    )


def _pool(pool: Pool, modes: Mapping[Mode, PoolSums], rows: Rows) -> tuple[PoolCpu, list[FunctionCpu]]:
    attributed = sum(row.attributed_ns for row in modes.values())
    unattributed = sum(row.unattributed_ns for row in modes.values())
    windows = sum(row.windows for row in modes.values())
    samples = sum(row.samples for row in modes.values())
    sampled = {mode: row for mode, row in modes.items() if row.x > 0.0}
    if not sampled:
        return PoolCpu(pool, 0.0, attributed + unattributed, 0.0, None, windows, samples), []
    functions = split(Seen(pool, attributed, sampled, rows, base_mode(sampled)))
    other = max(0.0, attributed - sum(function.self_ns.estimate for function in functions))
    held = held_fraction(sampled[Mode.GIL]) if Mode.GIL in sampled else None
    return PoolCpu(pool, attributed, unattributed, other, held, windows, samples), functions
