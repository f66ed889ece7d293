"""Batches of several streams together: what is quick agrees with the judge, and a refusal hurts no neighbour."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.ingest.decode import Origin, Received, decode
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.gather import gather
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.validate import check

NOW_NS = 1_795_000_000_000_000_000
Make = Callable[..., pb.Batch]

_SMALL = st.sampled_from([0, 1, 2, 3, 99, 2**24, 2**32 - 1])
_COUNTS = st.lists(_SMALL, min_size=2, max_size=2)
_WINDOW = st.fixed_dictionaries(
    {},
    optional={
        "process": st.sampled_from([0, 1, 2]),
        "mode": st.integers(0, 6),
        "outcome": st.integers(0, 10),
        "started_unix_ns": st.sampled_from([0, NOW_NS - 14 * 86_400 * 10**9, NOW_NS + 10**12, NOW_NS, -(2**63)]),
        "duration_ns": st.sampled_from([-1, 0, 10**10, 2**62]),
        "stopped_ns": st.sampled_from([0, 10**9, 2**64 - 1]),
        "rate_hz": st.sampled_from([0, 20, 2**31]),
        "ticks": st.sampled_from([0, 200, 2**32 - 1]),
        "gap_cpu_ns": st.sampled_from([0, 10**17]),
        "sampler_cpu_ns": st.sampled_from([0, 10**17]),
        "stacks": _COUNTS,
        "lines": _COUNTS,
        "counts": _COUNTS,
        "native_counts": _COUNTS,
        "reason": st.sampled_from(["", "x" * 5000]),
        "usage": st.builds(
            pb.Usage,
            cpu_user_ns=st.sampled_from([0, 2**63]),
            read_bytes=st.sampled_from([0, 2**63]),
            run_delay_ns=st.sampled_from([0, 2**63]),
        ),
    },
)


def _dictionary() -> Dictionary:
    made = pb.Definitions(processes=[pb.Process(id=1, service="s", language=pb.LANGUAGE_PYTHON)])
    made.functions.add(id=1, language=pb.LANGUAGE_PYTHON, qualified_name="f", owner=pb.OWNER_APPLICATION)
    for number in (1, 2, 3):
        made.stacks.add(id=number, functions=[1] * number)
    dictionary = Dictionary(Limits())
    dictionary.define(made)
    return dictionary


@settings(max_examples=300)
@given(_WINDOW, st.sampled_from([0, 1, 2**64 - 1]), st.sampled_from([0, 10**9, -(2**63)]))
def test_what_is_taken_quickly_passes_every_check(fields: dict[str, object], sequence: int, offset: int) -> None:
    proper: dict[str, object] = {
        "process": 1, "mode": pb.MODE_GIL, "outcome": pb.OUTCOME_COMPLETE, "started_unix_ns": NOW_NS,
        "duration_ns": 10**10, "ticks": 200, "stacks": [1, 2], "lines": [1, 0], "counts": [3, 4],
        "native_counts": [0, 4],
    }  # fmt: skip
    window = pb.Window(**{**proper, **fields})  # type: ignore[arg-type]
    batch = pb.Batch(sequence=sequence, clock_offset_ns=offset, windows=[window])
    dictionary = _dictionary()
    quick = decode([Received(batch, dictionary, Origin("a", 1), NOW_NS)], Limits())
    refusal = check(batch, dictionary, Limits(), NOW_NS)
    assert quick is None or refusal is None
    if fields == {} and sequence and offset >= 0:
        assert quick is not None


def test_a_refusal_hurts_no_neighbour(batch: Make, window: Callable[..., pb.Window], dictionary: Dictionary) -> None:
    other = _dictionary()
    bad = batch(sequence=2, windows=[window(), window(stacks=[1, 99, 2])])
    parts = [
        Received(batch(), dictionary, Origin("a", 1), NOW_NS),
        Received(bad, dictionary, Origin("a", 1), NOW_NS),
        Received(batch(), other, Origin("b", 1), NOW_NS),
    ]
    gathered = gather(parts, Limits())
    assert [refusal is None for refusal in gathered.refusals] == [True, False, True]
    assert len(gathered.rows.windows) == 2
    assert gathered.rows.samples.count.tolist() == [1, 2, 1] * 2
    assert gathered.rows.samples.stack_id.tolist()[3:] == [int(other.stack_ids[number]) for number in (1, 2, 1)]
    for stack in set(gathered.rows.samples.stack_id.tolist()):
        assert len(gathered.rows.stacks[stack]) > 0


def test_stacks_are_looked_up_in_the_stream_that_sent_them(batch: Make, dictionary: Dictionary) -> None:
    other = _dictionary()
    parts = [Received(batch(), one, Origin(name, 1), NOW_NS) for one, name in ((dictionary, "a"), (other, "b"))]
    stacks = gather(parts, Limits()).rows.stacks
    for one in (dictionary, other):
        for number in (1, 2):
            assert stacks[int(one.stack_ids[number])].tolist() == one.functions_of(number).tolist()
    with pytest.raises(KeyError):
        stacks[12345]


def test_nothing_is_nothing() -> None:
    gathered = gather([], Limits())
    assert len(gathered.rows) == 0
    assert gathered.refusals == []
