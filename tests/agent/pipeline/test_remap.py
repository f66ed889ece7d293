from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.pipeline.encode import cut
from pivotscope_agent.pipeline.remap import StreamDictionary, UnreadableRecordError


def test_a_second_record_defines_only_what_is_new(record: Callable[..., Any]) -> None:
    dictionary = StreamDictionary()
    dictionary.translate(*record("first"))
    definitions, batch = record("second")
    fresh = dictionary.translate(definitions, batch)
    assert not fresh.processes
    assert [(one.id, one.qualified_name) for one in fresh.functions] == [(3, "second")]
    assert [(one.id, list(one.functions)) for one in fresh.stacks] == [(2, [1, 3])]
    assert list(batch.windows[0].stacks) == [2]


def test_repetition_defines_everything_under_the_known_ids(record: Callable[..., Any]) -> None:
    dictionary = StreamDictionary()
    first = dictionary.translate(*record())
    again = dictionary.translate(*record(), repeat=True)
    assert again == first
    assert len(dictionary) == 4


def test_a_record_that_uses_what_it_does_not_define_is_unreadable() -> None:
    with pytest.raises(UnreadableRecordError, match="process 1 is used but not defined"):
        StreamDictionary().translate(pb.Definitions(), pb.Batch(windows=[pb.Window(process=1)]))


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4), min_size=1, max_size=8))
def test_ids_are_dense_and_resolve_to_the_same_names(stacks: list[list[str]]) -> None:
    """Each record numbers its functions in its own way; the stream's receiver sees the same names."""
    dictionary = StreamDictionary()
    names: dict[int, str] = {}
    known: dict[int, tuple[str, ...]] = {}
    for stack in stacks:
        own = {name: number for number, name in enumerate(dict.fromkeys(stack), 1)}
        definitions = pb.Definitions(
            processes=[pb.Process(id=1, service="s")],
            functions=[pb.Function(id=number, qualified_name=name) for name, number in own.items()],
            stacks=[pb.Stack(id=1, functions=[own[name] for name in stack])],
        )
        batch = pb.Batch(windows=[pb.Window(process=1, stacks=[1])])
        fresh = dictionary.translate(definitions, batch)
        names |= {one.id: one.qualified_name for one in fresh.functions}
        known |= {one.id: tuple(names[number] for number in one.functions) for one in fresh.stacks}
        assert known[batch.windows[0].stacks[0]] == tuple(stack)
    assert sorted(names) == list(range(1, len(names) + 1))
    assert sorted(known) == list(range(1, len(known) + 1))


def test_definitions_are_cut_in_an_order_that_can_be_applied(record: Callable[..., Any]) -> None:
    definitions, _ = record("a_rather_long_name")
    parts = list(cut(definitions, 40))
    assert len(parts) > 1
    whole = pb.Definitions()
    for part in parts:
        whole.MergeFrom(part)
        assert not part.stacks or len(whole.functions) == 2
    assert whole == definitions
