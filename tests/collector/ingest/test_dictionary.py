from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pivotscope.profile.function import function_id, stack_id
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.errors import UsageError
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.store.rows import Row


def test_ids_are_those_of_the_profile_model(dictionary: Dictionary) -> None:
    one, two, three = (function_id("shop", "python", "app.py", f"f{number}") for number in (1, 2, 3))
    assert set(dictionary.functions) == {one, two, three}
    assert dictionary.stack_ids[:4].tolist() == [
        0,
        stack_id([one, two]),
        stack_id([one, three]),
        stack_id([one, two, one]),
    ]
    assert [dictionary.functions_of(number).tolist() for number in (1, 2, 3)] == [
        [one, two],
        [one, three],
        [one, two, one],
    ]


@pytest.mark.parametrize("number", [60_000, 70_000])
def test_functions_of_stacks_are_found_by_numbers_of_any_size(dictionary: Dictionary, number: int) -> None:
    function = pb.Function(
        id=number,
        codebase="shop",
        language=pb.LANGUAGE_PYTHON,
        path="late.py",
        qualified_name="g",
        owner=pb.OWNER_APPLICATION,
    )
    dictionary.define(pb.Definitions(functions=[function], stacks=[pb.Stack(id=9, functions=[1, number])]))
    first, late = function_id("shop", "python", "app.py", "f1"), function_id("shop", "python", "late.py", "g")
    assert dictionary.functions_of(9).tolist() == [first, late]


def test_large_numbers_grow_the_table(dictionary: Dictionary, limits: Limits) -> None:
    dictionary.define(pb.Definitions(stacks=[pb.Stack(id=50_000, functions=[1])]))
    assert dictionary.stack_ids[50_000]
    dictionary.define(pb.Definitions(stacks=[pb.Stack(id=limits.definitions + 1, functions=[1])]))
    assert len(dictionary.stack_ids) <= limits.definitions + 1


@pytest.mark.parametrize(
    ("definitions", "kind", "said"),
    [
        (pb.Definitions(processes=[pb.Process(id=5, language=pb.LANGUAGE_PYTHON)]), "process", "service is empty"),
        (pb.Definitions(processes=[pb.Process(id=5, service="s")]), "process", "language 0"),
        (
            pb.Definitions(functions=[pb.Function(id=5, language=pb.LANGUAGE_PYTHON, owner=pb.OWNER_APPLICATION)]),
            "function",
            "qualified_name is empty",
        ),
        (
            pb.Definitions(functions=[pb.Function(id=5, language=pb.LANGUAGE_PYTHON, qualified_name="f")]),
            "function",
            "owner 0",
        ),
        (pb.Definitions(stacks=[pb.Stack(id=5)]), "stack", "0 functions"),
        (pb.Definitions(stacks=[pb.Stack(id=5, functions=[77])]), "stack", "function 77 is not defined"),
        (
            pb.Definitions(
                series=[
                    pb.MetricSeries(
                        id=5,
                        service="s",
                        name="n",
                        kind=pb.METRIC_KIND_HISTOGRAM,
                        role=pb.METRIC_ROLE_LATENCY,
                        bounds=[2.0, 1.0],
                    )
                ]
            ),
            "series",
            "bounds do not ascend",
        ),
        (
            pb.Definitions(
                series=[
                    pb.MetricSeries(
                        id=5,
                        service="s",
                        name="n",
                        kind=pb.METRIC_KIND_HISTOGRAM,
                        role=pb.METRIC_ROLE_LATENCY,
                        bounds=[float("inf")],
                    )
                ]
            ),
            "series",
            "not finite",
        ),
        (
            pb.Definitions(series=[pb.MetricSeries(id=5, service="s", name="n", kind=pb.METRIC_KIND_COUNTER)]),
            "series",
            "role 0",
        ),
        (
            pb.Definitions(processes=[pb.Process(id=5, service="s" * 5000, language=pb.LANGUAGE_PYTHON)]),
            "process",
            "5000 characters",
        ),
    ],
)
def test_a_wrong_definition_is_the_reason_for_refusing_its_use(
    dictionary: Dictionary, definitions: pb.Definitions, kind: str, said: str
) -> None:
    dictionary.define(definitions)
    refusal = dictionary.missing(kind, 5, "windows[0]")
    assert not refusal.retryable
    assert said in refusal.detail


def test_a_right_definition_heals_a_wrong_one(dictionary: Dictionary) -> None:
    dictionary.define(pb.Definitions(stacks=[pb.Stack(id=5, functions=[77])]))
    dictionary.define(pb.Definitions(stacks=[pb.Stack(id=5, functions=[1])]))
    assert dictionary.stack_ids[5]
    assert dictionary.missing("stack", 5, "x").retryable


def test_series_are_told_apart_by_labels_and_bounds() -> None:
    def key(**fields: object) -> int:
        dictionary = Dictionary(Limits())
        values: dict[str, Any] = {
            "id": 1,
            "service": "s",
            "name": "n",
            "kind": pb.METRIC_KIND_HISTOGRAM,
            "role": pb.METRIC_ROLE_LATENCY,
        }
        dictionary.define(pb.Definitions(series=[pb.MetricSeries(**{**values, **fields})]))
        return dictionary.series[1].series_id

    assert key() == key()
    assert len({key(), key(labels={"a": "1"}), key(labels={"a": "2"}), key(bounds=[1.0]), key(variant="b")}) == 5


def test_a_stream_that_defines_without_end_is_ended(definitions: pb.Definitions) -> None:
    """Each of its definitions is right, and memory would grow with every one of them."""
    # Nine definitions, six of them with names of 512 bytes and their text, and stacks of seven functions.
    for limits in (Limits(defined=20), Limits(members=20), Limits(definition_bytes=9000)):
        dictionary = Dictionary(limits)
        for _ in range(2):
            dictionary.define(definitions)
        with pytest.raises(UsageError, match="open a new stream"):
            dictionary.define(definitions)


def test_text_that_is_defined_is_bounded_by_its_length() -> None:
    dictionary = Dictionary(Limits(definition_bytes=100_000))
    made = [_function(number, path="p" * 4096, name="q" * 4096) for number in range(1, 13)]
    for one in made[:-1]:
        dictionary.define(pb.Definitions(functions=[one]))
    with pytest.raises(UsageError, match="open a new stream"):
        dictionary.define(pb.Definitions(functions=made[-1:]))


def test_long_names_are_not_kept_beyond_their_stream() -> None:
    """What streams share is bounded by number, not by length."""
    for path, same in (("p", True), ("p" * 4096, False)):
        rows: list[Row] = []
        for _ in range(2):
            dictionary = Dictionary(Limits())
            dictionary.define(pb.Definitions(functions=[_function(1, path=path, name="shared")]))
            rows += dictionary.functions.values()
        assert rows[0] == rows[1]
        assert (rows[0] is rows[1]) == same


def test_only_wrong_stacks_are_looked_at_one_by_one(monkeypatch: pytest.MonkeyPatch, dictionary: Dictionary) -> None:
    """A message has hundreds of thousands of them, and the loop waits meanwhile."""
    looked: list[int] = []

    def look(stack: pb.Stack) -> Iterator[str]:
        looked.append(stack.id)
        yield "wrong"

    monkeypatch.setattr(dictionary, "_stack", look)
    monkeypatch.setattr("pivotscope_collector.ingest.dictionary._REASONS", 3)
    dictionary.define(pb.Definitions(functions=[pb.Function(id=9)]))
    right = [pb.Stack(id=number, functions=[1, 2]) for number in range(10, 20)]
    wrong = [pb.Stack(id=number, functions=[1, 99]) for number in range(20, 30)]
    assert dictionary.define(pb.Definitions(stacks=right)).tolist() == list(range(10, 20))
    assert looked == []
    assert dictionary.define(pb.Definitions(stacks=[*wrong, *right])).tolist() == list(range(10, 20))
    # As many as are remembered, beside the function.
    assert looked == [20, 21]


@given(st.lists(st.tuples(st.integers(0, 7), st.lists(st.integers(0, 5), max_size=4)), max_size=6))
def test_stacks_are_known_where_nothing_is_wrong_with_them(stacks: list[tuple[int, list[int]]]) -> None:
    dictionary = Dictionary(Limits(definitions=6, stack_depth=3))
    dictionary.define(
        pb.Definitions(functions=[_function(number, path="p", name=f"f{number}") for number in (1, 2, 4)])
    )
    told = dictionary.define(pb.Definitions(stacks=[pb.Stack(id=one, functions=members) for one, members in stacks]))
    right = [
        one for one, members in stacks if 1 <= one <= 6 and 1 <= len(members) <= 3 and {1, 2, 4}.issuperset(members)
    ]
    assert told.tolist() == right
    assert np.flatnonzero(dictionary.stack_ids).tolist() == sorted(set(right))
    for one in {one for one, _ in stacks} - set(right):
        assert not dictionary.missing("stack", one, "windows[0]").retryable


def _function(number: int, *, path: str, name: str) -> pb.Function:
    language, owner = pb.LANGUAGE_PYTHON, pb.OWNER_APPLICATION
    return pb.Function(id=number, codebase="shop", language=language, path=path, qualified_name=name, owner=owner)
