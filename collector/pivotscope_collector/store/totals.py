"""Pools and functions as `estimates` takes them, over a whole range or by step, from what stretches of it hold."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import SUMS, FunctionColumns, find
from pivotscope_collector.estimates.pool import FunctionSums, Pool, PoolSums
from pivotscope_collector.store.client import Blocks
from pivotscope_collector.store.native import Array, numbers, ragged, texts
from pivotscope_collector.store.recall import Ask, Made, Recall
from pivotscope_collector.store.rows import U64
from pivotscope_collector.store.selection import Selection
from pivotscope_collector.store.stretch import Stretch

_NAMES = ("service", "environment", "version", "variant", "language", "mode")
_COUNTS = 8
"""Numbers of a pool in `counts` of sql/pool_sums.sql."""
_ROW = 700
"""Bytes that a pool takes."""


@dataclass(frozen=True, slots=True)
class Pools:
    """Pools by mode; `keys` are those of their functions and stacks."""

    keys: Sequence[int] = ()
    sums: Sequence[PoolSums] = ()

    @property
    def nbytes(self) -> int:
        """About how much they take."""
        return _ROW * len(self.keys)


@dataclass(frozen=True, slots=True)
class Functions:
    """Functions by the key of their pool and mode."""

    columns: Mapping[int, FunctionColumns]

    @property
    def nbytes(self) -> int:
        """About how much they take."""
        return sum(one.ids.nbytes + one.sums.nbytes + _ROW for one in self.columns.values())


@dataclass(frozen=True, slots=True)
class StackSums:
    """Stacks of pools and modes: `ids`, which ascend; in rows, the key of a pool, the place of a stack, and its sums.

    y = samples × period in nanoseconds.
    """

    ids: U64
    pools: U64
    place: NDArray[np.int64]
    samples: U64
    native: U64
    y: NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        """What they take."""
        return self.ids.nbytes + 5 * self.pools.nbytes

    def weights(self, scales: Mapping[int, float]) -> NDArray[np.float64]:
        """Samples, native samples and y × scale of each stack, over the pools that have a scale."""
        keys = np.array(sorted(scales), np.uint64)
        row, known = find(keys, self.pools)
        place = self.place[known]
        scale = np.array([scales[key] for key in keys.tolist()])[row]
        columns = (self.samples[known], self.native[known], self.y[known] * scale)
        return np.stack([np.bincount(place, column, len(self.ids)) for column in columns])


def whole(recall: Recall, selection: Selection, make: Callable[..., Made], *more: Ask) -> Made:
    """What is made of everything that a selection covers as one. Raises StoreError.

    `make` gets Pools, their functions as PoolColumns, and of each further ask its values, one a stretch.
    """

    def made(_: Sequence[Stretch], values: Sequence[Sequence[Any]]) -> Made:
        functions, pools, *rest = values
        found = merged(pools)
        columns: dict[Pool, dict[Mode, Sequence[FunctionColumns]]] = {}
        for key, row in zip(found.keys, found.sums, strict=True):
            # A pool whose first window came between the two statements is for the next question.
            columns.setdefault(row.pool, {})[row.mode] = [one.columns[key] for one in functions if key in one.columns]
        return make(found, columns, *rest)

    return recall.read(selection, _functions(), POOLS, *more, make=made)


def stepped(
    recall: Recall,
    selection: Selection,
    function: int,
    make: Callable[[dict[int, Sequence[PoolSums]], dict[int, list[FunctionSums]]], Made],
    step: int,
) -> Made:
    """What is made of pools, and of a function in them, by step (unix seconds of its start). Raises StoreError."""

    def made(stretches: Sequence[Stretch], values: Sequence[Sequence[Any]]) -> Made:
        by_step: dict[int, Sequence[PoolSums]] = {}
        seen: dict[int, list[FunctionSums]] = {}
        for stretch, found, known in zip(stretches, *values, strict=True):
            start = stretch.start // step * step
            if known.keys:
                by_step[start] = known.sums
            rows = [
                FunctionSums(row.pool, row.mode, function, *found.columns[key].sums[:, 0].tolist())
                for key, row in zip(known.keys, known.sums, strict=True)
                if key in found.columns
            ]
            if rows:
                seen[start] = rows
        return make(by_step, seen)

    return recall.read(selection, _functions(function), POOLS, make=made, step=step)


def sampled(
    recall: Recall, selection: Selection, modes: tuple[str, ...], make: Callable[[Pools, Sequence[StackSums]], Made]
) -> Made:
    """What is made of pools, and of their stacks in these modes, all where none are given. Raises StoreError.

    Sums of stacks come in parts that add up.
    """

    def made(_: Sequence[Stretch], values: Sequence[Sequence[Any]]) -> Made:
        stacks, pools = values
        return make(merged(pools), stacks)

    return recall.read(
        selection, Ask("flame", _stacks, _NO_STACKS, parameters={"modes": list(modes)}), POOLS, make=made
    )


def merged(parts: Iterable[Pools]) -> Pools:
    """Pools over several stretches of time, in the order of their names."""
    sums: dict[int, PoolSums] = {}
    for part in parts:
        for key, row in zip(part.keys, part.sums, strict=True):
            before = sums.get(key)
            sums[key] = row if before is None else before + row
    keys = sorted(sums, key=lambda key: _names(sums[key]))
    return Pools(keys, [sums[key] for key in keys])


def _names(row: PoolSums) -> tuple[str, ...]:
    pool = row.pool
    return (pool.service, pool.environment, pool.version, pool.variant, pool.language, row.mode)


def _pools(found: Blocks) -> dict[int, Pools]:
    """Pools by step, from `sql/pool_sums.sql`."""
    if not found:
        return {}
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
            looked_ns=looked,
        )
        for (service, environment, version, variant, language, mode), xx, counted in zip(
            names, numbers(found["squares"]).tolist(), counts, strict=True
        )
        for windows, samples, x, cpu, delay, attributed, unattributed, looked in (counted,)
    ]
    keys, steps = numbers(found["pool"]).tolist(), numbers(found["step"])
    return {int(steps[first]): Pools(keys[first:last], sums[first:last]) for first, last in pairwise(edges(steps))}


def _function_columns(found: Blocks) -> dict[int, Functions]:
    """Functions by step, from `sql/function_sums.sql`."""
    if not found:
        return {}
    steps, keys, ids = (numbers(found[name]) for name in ("step", "pool", "function_id"))
    sums = np.stack([np.asarray(found[name], np.float64) for name in SUMS])
    by_step: dict[int, dict[int, FunctionColumns]] = {}
    for first, last in pairwise(edges(steps, keys)):
        # Copies, so that what is forgotten of an answer is not held by the rest of it.
        columns = FunctionColumns(ids[first:last].copy(), sums[:, first:last].copy())
        by_step.setdefault(int(steps[first]), {})[int(keys[first])] = columns
    return {step: Functions(columns) for step, columns in by_step.items()}


def _stacks(found: Blocks) -> dict[int, StackSums]:
    """Stacks by step, from `sql/flame.sql`."""
    if not found:
        return {}
    steps, ids = numbers(found["step"]), numbers(found["stack_id"])
    columns = [numbers(found[name]) for name in ("pool", "samples", "native", "y")]
    by_step = {}
    for first, last in pairwise(edges(steps)):
        distinct, place = np.unique(ids[first:last], return_inverse=True)
        pools, *sums = (one[first:last].copy() for one in columns)
        by_step[int(steps[first])] = StackSums(distinct, pools, place, *sums)
    return by_step


def edges(*columns: Array) -> list[int]:
    """Where rows begin that differ from the row before in any of the columns, and where they all end."""
    changes = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return [0, *(np.flatnonzero(changes) + 1).tolist(), len(columns[0])]


_NONE = np.zeros(0, np.uint64)
_NO_STACKS = StackSums(_NONE, _NONE, np.zeros(0, np.int64), _NONE, _NONE, np.zeros(0))
POOLS = Ask("pool_sums", _pools, Pools())


def _functions(*ids: int) -> Ask:
    return Ask("function_sums", _function_columns, Functions({}), ids)
