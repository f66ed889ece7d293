"""Stacks merged into a tree of calls, cut where a call has too little of the samples. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pivotscope_collector.estimates.columns import Ids
from pivotscope_collector.estimates.share import Vector

Indices = NDArray[np.int64]
Weights = NDArray[np.float64]
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Stacks:
    """Stacks: stack i has the `lengths[i]` functions from `functions[starts[i]]` on, root first; a row of weights each.

    Columns of `weights` add up on their own; the first `sides` of them are samples, which decide what is cut.
    """

    starts: Indices
    lengths: Indices
    functions: Ids
    weights: Weights
    sides: int


@dataclass(frozen=True, slots=True)
class Tree:
    """Calls: parents come before children; `parent` is -1 at a root. `own` are the weights that end in the call.

    `cut` is the part of each side's samples whose stacks go deeper than the tree.
    """

    parent: Indices
    function: Ids
    own: Weights
    cut: Vector


def merge(stacks: Stacks, least: float, most: int) -> Tree:
    """The tree of all calls with at least the part `least` of a side's samples; of more than `most`, the larger ones.

    Nothing is lost: what is cut ends in the call above.
    """
    tree = _merge(stacks, least)
    while len(tree.parent) > most and least < 1.0:
        least = max(1e-6, 2.0 * least)
        tree = _merge(stacks, least)
    return tree


def _merge(stacks: Stacks, least: float) -> Tree:
    lengths = stacks.lengths
    floor = least * stacks.weights[:, : stacks.sides].sum(axis=0)
    alive = np.flatnonzero(lengths > 0)
    place = np.full(len(alive), -1, np.int64)
    parents: list[Indices] = []
    functions: list[Ids] = []
    ended = np.full(len(lengths), -1, np.int64)
    deeper = np.zeros(len(lengths), np.bool_)
    count = depth = 0
    while len(alive):
        called = stacks.functions[stacks.starts[alive] + depth]
        first, group = _grouped(place, called)
        weights = _added(stacks.weights[alive, : stacks.sides], group, len(first))
        kept = ((weights >= floor) & (weights > 0.0)).any(axis=1)
        number = np.where(kept, count + np.cumsum(kept) - 1, -1)
        parents.append(place[first][kept])
        functions.append(called[first][kept])
        count += int(kept.sum())
        here = number[group]
        ended[alive] = np.where(here >= 0, here, place)
        deeper[alive[here < 0]] = True
        depth += 1
        on = (here >= 0) & (lengths[alive] > depth)
        alive, place = alive[on], here[on]
    # Root calls below the floor have nobody above them: they end in a root of no function.
    homeless = (ended < 0) & (lengths > 0)
    if homeless.any():
        ended[homeless] = count
        parents.append(np.array([-1]))
        functions.append(np.zeros(1, np.uint64))
        count += 1
    there = ended >= 0
    whole = np.maximum(stacks.weights[:, : stacks.sides].sum(axis=0), 1e-300)
    return Tree(
        np.concatenate(parents) if parents else np.zeros(0, np.int64),
        np.concatenate(functions) if functions else np.zeros(0, np.uint64),
        _added(stacks.weights[there], ended[there], count),
        np.asarray(stacks.weights[deeper, : stacks.sides].sum(axis=0) / whole, np.float64),
    )


def _grouped(place: Indices, called: Ids) -> tuple[Indices, Indices]:
    """Calls by what is called from where: the first of each group, and the group of each."""
    if (place == place[0]).all() and (called == called[0]).all():
        # Most stacks of a service have the same first calls.
        return np.zeros(1, np.int64), np.zeros(len(place), np.int64)
    # Distinct by hash: two calls of one parent collide once in 2^64 pairs.
    _, first, group = np.unique(_mixed(place, called), return_index=True, return_inverse=True)
    return first, group


def _added(weights: Weights, group: Indices, count: int) -> Weights:
    """Columns of weights by group."""
    return np.stack([np.bincount(group, column, count) for column in weights.T], axis=1)


def _mixed(place: Indices, called: Ids) -> Ids:
    with np.errstate(over="ignore"):
        mixed = (place.astype(np.uint64) + np.uint64(2)) * _MIX ^ called
        mixed ^= mixed >> np.uint64(31)
        result: Ids = mixed * _MIX ^ called
    return result
