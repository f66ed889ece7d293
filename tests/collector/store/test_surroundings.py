"""What lies beneath functions and who calls them, and which minutes tell it."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pivotscope_collector.store.surroundings import Sampled, around, telling

MINUTE = 60
START = 1_800_000_000 // 60 * 60
Stacks = list[tuple[list[int], int, int]]

stacks = st.lists(
    st.tuples(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(1, 1000), st.integers(0, 1)), max_size=12
)


def sampled(given: Stacks) -> Sampled:
    functions = [one for members, _, _ in given for one in members]
    return Sampled(
        np.cumsum([len(members) for members, _, _ in given], dtype=np.int64),
        np.array(functions, np.uint64),
        np.array([y for _, y, _ in given], np.float64),
        np.array([y * native for _, y, native in given], np.float64),
    )


@given(stacks, st.sets(st.integers(1, 8), min_size=1))
def test_it_is_what_a_loop_finds(given: Stacks, roots: set[int]) -> None:
    beneath: Counter[tuple[int, int]] = Counter()
    native: Counter[tuple[int, int]] = Counter()
    callers: Counter[tuple[int, int]] = Counter()
    for members, y, is_native in given:
        for root in roots & set(members):
            beneath[root, members[-1]] += y
            native[root, members[-1]] += y * is_native
            at = members.index(root)
            if at:
                callers[root, members[at - 1]] += y
    found = around(sampled(given), np.array(sorted(roots), np.uint64))
    leaves = {root: (one.leaves.tolist(), one.y.tolist(), one.native_y.tolist()) for root, one in found.beneath.items()}
    assert {
        (root, leaf): y for root, (ids, ys, _) in leaves.items() for leaf, y in zip(ids, ys, strict=True)
    } == beneath
    natives = {(root, leaf): y for root, (ids, _, ys) in leaves.items() for leaf, y in zip(ids, ys, strict=True)}
    assert {key: y for key, y in natives.items() if y} == +native
    for root, ids in found.callers.items():
        counts = [callers[root, one] for one in ids]
        assert counts == sorted((y for (of, _), y in callers.items() if of == root), reverse=True)[:5]
    assert found.callers.keys() == {root for root, _ in callers}


def test_few_samples_are_all_read() -> None:
    assert telling(START, START + 86_400, 2_000_000) == []
    assert telling(START, START + 12 * MINUTE, 10**12) == []


@pytest.mark.parametrize(("samples", "many"), [(4_000_000, 120), (72_000_000, 40), (10**12, 12)])
def test_of_many_some_minutes_are_read_spread_over_the_range(samples: int, many: int) -> None:
    first, last = START + 17, START + 86_417
    minutes = telling(first, last, samples)
    assert len(minutes) == pytest.approx(many, abs=1)
    assert all(minute % MINUTE == 0 and first <= minute < last for minute in minutes)
    gaps = np.diff(minutes) / MINUTE
    assert gaps.max() < 2 * 1440 / many
    # What recurs every five minutes must not be all that is seen, or never be.
    assert len({minute // MINUTE % 5 for minute in minutes}) >= 4


def test_the_minutes_stay_while_the_range_moves_on() -> None:
    earlier, later = (set(telling(START + shift, START + shift + 86_400, 72_000_000)) for shift in (0, 30))
    assert len(earlier & later) >= len(earlier) - 1
