"""The split of CPU outside the lock: always whole, never negative, exact where the data are."""

import sys

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pivotscope_collector.estimates.outside import ROUNDING, Beyond, Rates, split_self, split_total

RATE = st.floats(0.0, 5.0, allow_subnormal=False)


def beyond(active: list[float], gil: list[float]) -> Beyond:
    return Beyond.of(Rates(np.array(active), np.array([1 / 100])), Rates(np.array(gil), np.array([1 / 300])))


@given(st.lists(st.tuples(RATE, RATE), min_size=1, max_size=12), st.floats(0.0, 1.0))
@example([(0.0, sys.float_info.min)], 1.0)
def test_the_split_is_whole_and_never_negative(functions: list[tuple[float, float]], outside: float) -> None:
    seen = beyond([active for active, _ in functions], [gil for _, gil in functions])
    split = split_self(seen, outside)
    assert (split >= 0.0).all()
    expected = outside if seen.variance.any() else 0.0
    assert split.sum() == pytest.approx(expected, abs=2 * ROUNDING)


@given(st.lists(st.tuples(RATE, RATE), min_size=1, max_size=12), st.floats(0.0, 1.0))
@example([(sys.float_info.min * (1.0 + sys.float_info.epsilon), sys.float_info.min)], 1.0)
def test_totals_hold_their_own_part_and_stay_within_the_whole(
    functions: list[tuple[float, float]], outside: float
) -> None:
    seen = beyond([active for active, _ in functions], [gil for _, gil in functions])
    own = split_self(seen, outside)
    total = split_total(seen, seen, own, outside)
    assert (total >= own - 1e-12).all()
    assert (total <= outside + 2 * ROUNDING).all()


def test_exact_data_are_kept() -> None:
    split = split_self(beyond([0.5, 0.3, 0.2], [0.5, 0.0, 0.1]), 0.4)
    assert split == pytest.approx([0.0, 0.3, 0.1])


def test_what_only_holds_the_lock_pays_for_no_sleeper() -> None:
    """Sleepers add 0.6 to what active windows see: the known sum goes to both in proportion, nothing to the first."""
    split = split_self(beyond([0.5, 0.3, 0.6], [0.5, 0.0, 0.0]), 0.3)
    assert split == pytest.approx([0.0, 0.1, 0.2])


def test_what_nobody_saw_is_spread_by_activity() -> None:
    split = split_self(beyond([0.4, 0.1], [0.4, 0.1]), 0.5)
    assert split == pytest.approx([0.4, 0.1])


def test_nothing_outside_is_nothing() -> None:
    assert not split_self(beyond([0.4, 0.9], [0.4, 0.1]), 0.0).any()
