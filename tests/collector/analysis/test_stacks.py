"""Stacks, broken down."""

from hypothesis import given
from hypothesis import strategies as st
from pivotscope.profile.function import Function
from pivotscope.profile.language import Language
from pivotscope_collector.analysis.stacks import FunctionStack, spent_by


def function(name: str) -> Function:
    return Function("shop", Language.PYTHON, "app.py", name)


A, B, C = (function(name) for name in "abc")


def test_recursion_counts_once() -> None:
    found = spent_by([FunctionStack((A, B, A, B), 10.0)])
    assert (found[A].own, found[A].total) == (0.0, 10.0)
    assert (found[B].own, found[B].total) == (10.0, 10.0)
    assert found[A].callers == {B}


def test_native_time_is_left_out_of_what_lies_beneath() -> None:
    found = spent_by([FunctionStack((A, B), 10.0, 4.0), FunctionStack((A, C), 5.0, 5.0), FunctionStack((A,), 1.0)])
    assert found[A].beneath == {B: 6.0, A: 1.0}
    assert found[A].native == 9.0


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from([A, B, C]), min_size=1, max_size=6), st.integers(1, 50), st.integers(0, 50)),
        min_size=1,
    )
)
def test_own_times_add_up_and_totals_are_where_they_went(drawn: list[tuple[list[Function], int, int]]) -> None:
    stacks = [FunctionStack(tuple(names), float(count), float(min(count, native))) for names, count, native in drawn]
    found = spent_by(stacks)
    assert sum(spent.own for spent in found.values()) == sum(stack.weight for stack in stacks)
    for spent in found.values():
        assert sum(spent.beneath.values()) + spent.native == spent.total
