"""A merged flame graph of a selection, in CPU-seconds; or of two, held against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.function import Function, Owner
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode
from pivotscope.v1 import agent_pb2, query_pb2

from pivotscope_collector.api.ranking import Known
from pivotscope_collector.errors import NotComparableError
from pivotscope_collector.estimates.columns import Ids
from pivotscope_collector.estimates.pool import Pool, PoolSums
from pivotscope_collector.estimates.tree import Indices, Stacks, Tree, merge
from pivotscope_collector.store.catalogue import UNKNOWN, Names
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.totals import Pools, StackSums, sampled

MODES = {
    agent_pb2.MODE_ACTIVE: Mode.ACTIVE,
    agent_pb2.MODE_GIL: Mode.GIL,
    agent_pb2.MODE_NATIVE: Mode.NATIVE,
}
LEAST = 0.001
MOST = 20_000
"""Calls that one graph shows; beyond, the smaller ones count as their callers' own."""
SAMPLES, NATIVE, CPU = range(3)
Modes = Mapping[Language, Mode]


@dataclass(frozen=True, slots=True)
class Side:
    """Stacks of one selection: weights are samples, native samples and CPU in nanoseconds."""

    modes: Modes
    ends: Indices
    functions: NDArray[np.uint64]
    weights: NDArray[np.float64]


def get_flame(
    known: Known,
    selection: Selection,
    wanted: "agent_pb2.Mode.ValueType",
    *,
    base: Selection | None = None,
    least: float = 0.0,
) -> query_pb2.GetFlameResponse:
    """Stacks scaled to their pool's attributed CPU, of one mode; those of `base` beside them where it is given.

    Unspecified, it is the mode that splits the CPU of each language: gil, else active.
    Raises NotComparableError where the two sides were not sampled alike.
    """
    side = _side(known, selection, MODES.get(wanted))
    sides = [side] if base is None else [side, _side(known, base, MODES.get(wanted))]
    if base is not None:
        _comparable(*sides)
    tree = merge(_stacks(sides), max(0.0, least or LEAST), MOST)
    answer = _message(known.names, tree, len(sides))
    answer.mode = ", ".join(sorted({mode.value for mode in side.modes.values()}))
    answer.samples, answer.cpu_seconds = _sums(side)
    if base is not None:
        answer.base_samples, answer.base_cpu_seconds = _sums(sides[1])
    return answer


def _side(known: Known, selection: Selection, wanted: Mode | None) -> Side:
    # Which modes there are is known only with the pools: all are read beside them, as most windows are of those shown.
    named = (wanted.value,) if wanted else ()
    modes, ids, weights = sampled(known.recall, selection, named, partial(_weights, wanted))
    if not len(ids):
        return Side(modes, np.zeros(0, np.int64), ids, weights)
    pairs = [f"{language}/{mode}" for language, mode in modes.items()]
    there, functions = known.stacks.of(ids, selection, pairs)
    return Side(modes, functions.ends.astype(np.int64), functions.values, weights[there])


def _weights(wanted: Mode | None, pools: Pools, seen: StackSums) -> tuple[Modes, Ids, NDArray[np.float64]]:
    """The modes that are shown, the stacks that are in them, ids ascending, and their weights as in Side."""
    modes = _modes(pools.sums, wanted)
    shown, scale = _scales(pools, modes, seen.pools)
    ids, place = np.unique(seen.ids[shown], return_inverse=True)
    columns = (seen.samples, seen.native, seen.y * scale)
    summed = [np.bincount(place, column[shown], len(ids)) for column in columns]
    return modes, ids, np.stack(summed, axis=1).astype(np.float64)


def _scales(pools: Pools, modes: Modes, keys: NDArray[np.uint64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether the pool of each key is in the mode that is shown, and the CPU that a sampled nanosecond stands for."""
    cpu: dict[Pool, float] = {}
    for row in pools.sums:
        cpu[row.pool] = cpu.get(row.pool, 0.0) + row.attributed_ns
    pairs = list(zip(pools.keys, pools.sums, strict=True))
    scales = {key: cpu[row.pool] / row.x if row.x > 0.0 else 0.0 for key, row in pairs}
    others = {key for key, row in pairs if row.mode is not modes[row.pool.language]}
    distinct, place = np.unique(keys, return_inverse=True)
    shown = np.array([key not in others for key in distinct.tolist()], np.bool_)
    return shown[place], np.array([scales.get(key, 0.0) for key in distinct.tolist()], np.float64)[place]


def _comparable(side: Side, base: Side) -> None:
    for one, name in ((side, "the selection"), (base, "the base")):
        if not len(one.ends):
            raise NotComparableError(f"{name} has no samples: widen its range, or name another")
    if side.modes != base.modes:
        words = [", ".join(f"{language}/{mode}" for language, mode in one.modes.items()) for one in (base, side)]
        raise NotComparableError(
            f"the base was sampled as {words[0]}, the selection as {words[1]}: samples of different modes do not mean "
            "the same; name a --mode that both have, or one --service"
        )


def _stacks(sides: Sequence[Side]) -> Stacks:
    """All sides' stacks; columns of weights are samples of each side, then native samples and CPU of each."""
    count = len(sides)
    sizes = [len(side.ends) for side in sides]
    weights = np.zeros((sum(sizes), 3 * count))
    first = 0
    for number, side in enumerate(sides):
        weights[first : first + sizes[number], number::count] = side.weights
        first += sizes[number]
    before = np.cumsum([0, *(len(side.functions) for side in sides)])
    ends = np.concatenate([side.ends + start for side, start in zip(sides, before, strict=False)])
    return Stacks(ends, np.concatenate([side.functions for side in sides]), weights, count)


def _message(names: Names, tree: Tree, sides: int) -> query_pb2.GetFlameResponse:
    ids, place = np.unique(tree.function, return_inverse=True)
    named = names.of(ids[ids > 0].tolist())
    answer = query_pb2.GetFlameResponse(pruned=float(tree.cut.max(initial=0.0)))
    for key in ids.tolist():
        function = named.get(key, UNKNOWN)
        answer.frames.add(path=_path(function), qualified_name=function.qualified_name, owner=function.owner)
    ended = np.flatnonzero(tree.own[:, :sides].any(axis=1))
    paths = _paths(tree.parent.tolist(), place.tolist())
    own = tree.own[ended]
    samples = np.rint(own[:, : (NATIVE + 1) * sides]).astype(np.int64)
    # Of samples, native samples and CPU a column a side.
    columns = [samples[:, 0], samples[:, NATIVE * sides], own[:, CPU * sides] * 1e-9]
    base = [samples[:, 1], own[:, CPU * sides + 1] * 1e-9] if sides > 1 else [np.zeros(len(own), np.int64)] * 2
    sizes = (-columns[SAMPLES] - base[0]).tolist()
    rows = zip(sizes, map(paths.__getitem__, ended.tolist()), *(one.tolist() for one in (*columns, *base)), strict=True)
    add = answer.stacks.add
    for _, path, count, native, cpu, base_count, base_cpu in sorted(rows):
        add(
            frames=path, samples=count, native_samples=native, cpu_seconds=cpu,
            base_samples=base_count, base_cpu_seconds=base_cpu,
        )  # fmt: skip
    return answer


def _paths(parents: Sequence[int], functions: Sequence[int]) -> list[list[int]]:
    """The functions from the root to each call."""
    paths: list[list[int]] = []
    for parent, function in zip(parents, functions, strict=True):
        paths.append([*paths[parent], function] if parent >= 0 else [function])
    return paths


def _sums(side: Side) -> tuple[int, float]:
    return round(side.weights[:, SAMPLES].sum()), float(side.weights[:, CPU].sum()) * 1e-9


def _modes(pools: Sequence[PoolSums], wanted: Mode | None) -> dict[Language, Mode]:
    """The mode to show of each language that was sampled."""
    seen: dict[Language, set[Mode]] = {}
    for row in pools:
        seen.setdefault(row.pool.language, set()).update({row.mode} if row.samples else ())
    order = (wanted,) if wanted else (Mode.GIL, Mode.ACTIVE, Mode.NATIVE)
    return {
        language: next((mode for mode in order if mode in modes), order[0]) for language, modes in sorted(seen.items())
    }


def _path(function: Function) -> str:
    return function.path if function.owner is Owner.APPLICATION else f"{function.codebase}/{function.path}"
