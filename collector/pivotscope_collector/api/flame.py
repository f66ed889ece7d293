"""A merged flame graph of a selection, in CPU-seconds; or of two, held against each other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from pivotscope.profile.function import Function, Owner
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode
from pivotscope.v1 import agent_pb2, query_pb2

from pivotscope_collector.api.ranking import Known
from pivotscope_collector.errors import NotComparableError
from pivotscope_collector.estimates.columns import Ids, find, places, union
from pivotscope_collector.estimates.pool import Pool, PoolSums
from pivotscope_collector.estimates.tree import Stacks, Tree, Weights, merge
from pivotscope_collector.store.catalogue import UNKNOWN, Names
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.stacks import StackBook
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
    """Stacks of one selection, ids ascending: weights are samples, native samples and CPU in nanoseconds."""

    selection: Selection
    modes: Modes
    ids: Ids
    weights: Weights


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
    sides = [_side(known, one, MODES.get(wanted)) for one in (selection, base) if one is not None]
    stacks = _stacks(known.stacks, sides)
    if base is not None:
        _comparable(sides, stacks)
    tree = merge(stacks, max(0.0, least or LEAST), MOST)
    answer = _message(known.names, tree, len(sides))
    answer.mode = ", ".join(sorted({mode.value for mode in sides[0].modes.values()}))
    answer.samples, answer.cpu_seconds = _sums(stacks, 0)
    if base is not None:
        answer.base_samples, answer.base_cpu_seconds = _sums(stacks, 1)
    return answer


def _side(known: Known, selection: Selection, wanted: Mode | None) -> Side:
    # Which modes there are is known only with the pools: all are read beside them, as most windows are of those shown.
    named = (wanted.value,) if wanted else ()
    return Side(selection, *sampled(known.recall, selection, named, partial(_weights, wanted)))


def _weights(wanted: Mode | None, pools: Pools, seen: Sequence[StackSums]) -> tuple[Modes, Ids, Weights]:
    """The modes that are shown, the stacks that are in them, ids ascending, and their weights as in Side."""
    modes = _modes(pools.sums, wanted)
    scales = _scales(pools, modes)
    ids = union([one.ids for one in seen])
    weights = np.zeros((3, len(ids)))
    for one in seen:
        weights[:, places(ids, one.ids)] += one.weights(scales)
    shown = weights[SAMPLES] > 0.0
    return modes, ids[shown], weights[:, shown].T


def _scales(pools: Pools, modes: Modes) -> dict[int, float]:
    """The CPU that a sampled nanosecond stands for, by the key of each pool in the mode that is shown."""
    cpu: dict[Pool, float] = {}
    for row in pools.sums:
        cpu[row.pool] = cpu.get(row.pool, 0.0) + row.attributed_ns
    return {
        key: cpu[row.pool] / row.x if row.x > 0.0 else 0.0
        for key, row in zip(pools.keys, pools.sums, strict=True)
        if row.mode is modes[row.pool.language]
    }


def _comparable(sides: Sequence[Side], stacks: Stacks) -> None:
    for number, name in enumerate(("the selection", "the base")):
        if not stacks.weights[:, number].any():
            raise NotComparableError(f"{name} has no samples: widen its range, or name another")
    side, base = sides
    if side.modes != base.modes:
        words = [", ".join(f"{language}/{mode}" for language, mode in one.modes.items()) for one in (base, side)]
        raise NotComparableError(
            f"the base was sampled as {words[0]}, the selection as {words[1]}: samples of different modes do not mean "
            "the same; name a --mode that both have, or one --service"
        )


def _stacks(book: StackBook, sides: Sequence[Side]) -> Stacks:
    """All sides' stacks; columns of weights are samples of each side, then native samples and CPU of each."""
    pairs = [[f"{language}/{mode}" for language, mode in side.modes.items()] for side in sides]
    ids, found = book.of(*((side.ids, side.selection, modes) for side, modes in zip(sides, pairs, strict=True)))
    weights = np.zeros((len(ids), 3 * len(sides)))
    for number, side in enumerate(sides):
        place, known = find(ids, side.ids)
        weights[place, number :: len(sides)] = side.weights[known]
    return Stacks(found.starts, found.lengths, found.functions, weights, len(sides))


def _message(names: Names, tree: Tree, sides: int) -> query_pb2.GetFlameResponse:
    ids, place = np.unique(tree.function, return_inverse=True)
    named = names.of(ids[ids > 0].tolist())
    answer = query_pb2.GetFlameResponse(pruned=float(tree.cut.max(initial=0.0)))
    for key in ids.tolist():
        function = named.get(key, UNKNOWN)
        answer.frames.add(path=_path(function), qualified_name=function.qualified_name, owner=function.owner)
    ended = np.flatnonzero(tree.own[:, :sides].any(axis=1))
    paths = _paths(tree.parent.tolist(), place.tolist(), ended.tolist())
    own = tree.own[ended]
    samples = np.rint(own[:, : (NATIVE + 1) * sides]).astype(np.int64)
    # Of samples, native samples and CPU a column a side.
    columns = [samples[:, 0], samples[:, NATIVE * sides], own[:, CPU * sides] * 1e-9]
    base = [samples[:, 1], own[:, CPU * sides + 1] * 1e-9] if sides > 1 else [np.zeros(len(own), np.int64)] * 2
    sizes = (-columns[SAMPLES] - base[0]).tolist()
    rows = zip(sizes, paths, *(one.tolist() for one in (*columns, *base)), strict=True)
    add = answer.stacks.add
    for _, path, count, native, cpu, base_count, base_cpu in sorted(rows):
        add(
            frames=path, samples=count, native_samples=native, cpu_seconds=cpu,
            base_samples=base_count, base_cpu_seconds=base_cpu,
        )  # fmt: skip
    return answer


def _paths(parents: Sequence[int], functions: Sequence[int], calls: Iterable[int]) -> Iterator[list[int]]:
    """The functions from the root to each of these calls."""
    for call in calls:
        path = []
        above = call
        while above >= 0:
            path.append(functions[above])
            above = parents[above]
        path.reverse()
        yield path


def _sums(stacks: Stacks, side: int) -> tuple[int, float]:
    """Samples and CPU-seconds of a side."""
    samples, cpu = (float(stacks.weights[:, kind * stacks.sides + side].sum()) for kind in (SAMPLES, CPU))
    return round(samples), cpu * 1e-9


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
