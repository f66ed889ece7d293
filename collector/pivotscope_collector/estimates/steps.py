"""One function step by step: hundreds of splits of one function each, in a few vector operations."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import SUMS
from pivotscope_collector.estimates.pool import FunctionSums, Pool, PoolSums, by_pool, whole_cpu
from pivotscope_collector.estimates.seen import Dense, ModeSums, Seen
from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.estimates.split import split


@dataclass(frozen=True, slots=True)
class StepCpu:
    """A function of a pool in the step that begins at `at` (unix seconds); CPU in nanoseconds, as in PoolCpu.

    `windows` are the pool's, in all modes; `samples` and `clusters` what the function's CPU was estimated from.
    `total_ns` is None where no window saw the function.
    """

    at: int
    pool: Pool
    attributed_ns: float
    unattributed_ns: float
    windows: int
    samples: int = 0
    clusters: int = 0
    total_ns: Interval | None = None


_Stratum = tuple[StepCpu, Mapping[Mode, PoolSums], Mapping[Mode, FunctionSums]]


def attribute_steps(
    pools: Mapping[int, Iterable[PoolSums]], functions: Mapping[int, Iterable[FunctionSums]]
) -> list[StepCpu]:
    """What `attribute` says of one function in each pool and step, in no order; keys are unix seconds of the starts."""
    seen = {(at, row.pool, row.mode): row for at, rows in functions.items() for row in rows}
    wholes: list[StepCpu] = []
    alike: dict[object, list[_Stratum]] = defaultdict(list)
    for at, rows in pools.items():
        for pool, modes in by_pool(rows).items():
            whole, sampled = _whole(at, pool, modes.values()), {mode: row for mode, row in modes.items() if row.x > 0.0}
            found = {mode: seen[at, pool, mode] for mode in sampled if (at, pool, mode) in seen}
            if found:
                alike[pool.language, frozenset(sampled), frozenset(found)].append((whole, sampled, found))
            else:
                wholes.append(whole)
    return [*wholes, *(one for strata in alike.values() for one in _split(strata))]


def _whole(at: int, pool: Pool, modes: Collection[PoolSums]) -> StepCpu:
    return StepCpu(at, pool, *whole_cpu(modes), sum(row.windows for row in modes))


def _split(strata: Sequence[_Stratum]) -> list[StepCpu]:
    """Strata of one language, with samples and with the function in the same modes."""
    first, sampled, found = strata[0]
    shape = (len(strata), 1)
    parts = split(
        Seen(
            language=first.pool.language,
            attributed=np.array([[whole.attributed_ns] for whole, _, _ in strata]),
            modes={mode: ModeSums.of([modes[mode] for _, modes, _ in strata]) for mode in sampled},
            functions={
                mode: Dense(_sums([rows[mode] for _, _, rows in strata]), np.ones(shape, np.bool_)) for mode in found
            },
            shape=shape,
        )
    )
    return [
        replace(
            whole,
            samples=int(parts.samples[row, 0]),
            clusters=int(parts.clusters[row, 0]),
            total_ns=parts.total_ns.at(row, 0),
        )
        for row, (whole, _, _) in enumerate(strata)
    ]


def _sums(rows: Sequence[FunctionSums]) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """Fields of SUMS of the rows, one function each."""
    return np.array([[[float(getattr(row, name))] for row in rows] for name in SUMS])
