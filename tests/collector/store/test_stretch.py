"""Ranges in stretches: nothing is left out, nothing counts twice, and ranges that overlap share what they can."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from pivotscope_collector.store.stretch import Stretch, joined, pieces, steps

DAY, HOUR, MINUTE = 86_400, 3600, 60
_minutes = st.integers(0, 2 * 365 * 1440).map(lambda number: MINUTE * number)


def _covers(parts: list[Stretch], since: int, until: int) -> bool:
    ends = [(since, since), *((part.start, part.end) for part in parts), (until, until)]
    return all(one[1] == other[0] for one, other in pairwise(ends)) and all(part.start < part.end for part in parts)


@given(_minutes, _minutes)
def test_a_range_is_cut_without_a_gap_into_a_few_pieces_that_lie_on_a_grid(one: int, other: int) -> None:
    since, until = sorted((one, other))
    parts = list(pieces(since, until))
    assert _covers(parts, since, until)
    assert all(part.start % (part.end - part.start) == 0 for part in parts)
    assert len(parts) <= 64


def test_an_hour_has_most_pieces_of_the_hour_a_minute_before() -> None:
    start = 1_700_000_040 // MINUTE * MINUTE
    before, after = (list(pieces(start + later, start + later + HOUR)) for later in (0, MINUTE))
    assert len(before) <= 15
    assert set(after) - set(before) <= {part for part in after if part.end - part.start <= 15 * MINUTE}
    assert len(set(after) & set(before)) >= len(after) // 2


@given(_minutes, st.integers(1, 3 * 1440).map(lambda number: MINUTE * number), st.sampled_from([60, 300, HOUR, DAY]))
def test_steps_begin_at_multiples_but_for_the_first(since: int, span: int, step: int) -> None:
    parts = list(steps(since, since + span, step))
    assert _covers(parts, since, since + span)
    assert all(part.start % step == 0 for part in parts[1:])
    assert joined(parts) == [Stretch(since, since + span)]


def test_stretches_are_joined_where_they_touch() -> None:
    parts = [Stretch(0, 60), Stretch(60, 120), Stretch(180, 240)]
    assert joined(parts) == [Stretch(0, 120), Stretch(180, 240)]
