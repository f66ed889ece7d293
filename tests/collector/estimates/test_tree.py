from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pivotscope_collector.estimates.tree import Stacks, Tree, merge

Calls = tuple[int, ...]
some_stacks = st.lists(
    st.tuples(st.lists(st.integers(1, 4), min_size=1, max_size=6).map(tuple), st.integers(0, 9), st.integers(0, 9)),
    min_size=1,
    max_size=30,
)


def stacks_of(rows: list[tuple[Calls, int, int]], sides: int = 2) -> Stacks:
    lengths = np.array([len(calls) for calls, _, _ in rows])
    return Stacks(
        np.cumsum(lengths) - lengths,
        lengths,
        np.array([one for calls, _, _ in rows for one in calls], np.uint64),
        np.array([[one, other] for _, one, other in rows], np.float64),
        sides,
    )


def paths(tree: Tree) -> dict[Calls, tuple[float, float]]:
    found: list[Calls] = []
    for parent, function in zip(tree.parent.tolist(), tree.function.tolist(), strict=True):
        found.append((*(found[parent] if parent >= 0 else ()), function))
    assert len(set(found)) == len(found)
    return {path: tuple(own) for path, own in zip(found, tree.own.tolist(), strict=True) if any(own)}


@given(some_stacks)
def test_uncut_it_is_every_stack_with_its_weights(rows: list[tuple[Calls, int, int]]) -> None:
    wanted: Counter[Calls] = Counter()
    other: Counter[Calls] = Counter()
    for calls, one, two in rows:
        wanted[calls] += one
        other[calls] += two
    tree = merge(stacks_of(rows), 0.0, 10_000)
    assert paths(tree) == {path: (wanted[path], other[path]) for path in wanted if wanted[path] or other[path]}
    assert tree.cut.tolist() == [0.0, 0.0]


@given(some_stacks, st.floats(0.01, 0.9))
def test_cut_it_loses_nothing_and_says_how_much_it_hides(rows: list[tuple[Calls, int, int]], least: float) -> None:
    stacks = stacks_of(rows)
    tree = merge(stacks, least, 10_000)
    assert tree.own.sum(axis=0).tolist() == pytest.approx(stacks.weights.sum(axis=0).tolist())
    kept = paths(tree)
    deep = sum(one for calls, one, _ in rows if calls not in kept)
    assert tree.cut[0] <= deep / max(1, stacks.weights[:, 0].sum()) + 1e-9


def test_a_side_keeps_what_is_large_in_it() -> None:
    tree = merge(stacks_of([((1, 2), 100, 0), ((1, 3), 0, 1), ((1, 4), 1, 0)]), 0.5, 100)
    assert paths(tree) == {(1,): (1.0, 0.0), (1, 2): (100.0, 0.0), (1, 3): (0.0, 1.0)}
    assert tree.cut.tolist() == pytest.approx([1 / 101, 0.0])


def test_too_many_calls_leave_the_larger_ones() -> None:
    rows: list[tuple[Calls, int, int]] = [((1, number), number, 0) for number in range(2, 200)]
    tree = merge(stacks_of(rows), 0.0, 50)
    assert len(tree.parent) <= 50
    assert (1, 199) in paths(tree)
