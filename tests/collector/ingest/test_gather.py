"""Batches of several streams together: what is quick agrees with the judge, and a refusal hurts no neighbour."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.ingest.decode import Origin, Received, decode
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.gather import gather
from pivotscope_collector.ingest.judge import judge
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Partial, Refusal
from pivotscope_collector.store import rows as r
from pivotscope_collector.store.rows import Row

NOW_NS = 1_795_000_000_000_000_000
Make = Callable[..., pb.Batch]

_SMALL = st.sampled_from([0, 1, 2, 3, 99, 2**24, 5 * 10**8, 2**32 - 1])
_COUNTS = st.lists(_SMALL, min_size=2, max_size=2)
_WINDOW = st.fixed_dictionaries(
    {},
    optional={
        "process": st.sampled_from([0, 1, 2]),
        "mode": st.integers(0, 6),
        "outcome": st.integers(0, 10),
        "started_unix_ns": st.sampled_from([0, NOW_NS - 14 * 86_400 * 10**9, NOW_NS + 10**12, NOW_NS, -(2**63)]),
        "duration_ns": st.sampled_from([-1, 0, 100, 10**10, 3600 * 10**9, 2**62]),
        "stopped_ns": st.sampled_from([0, 10**9, 2**64 - 1]),
        "rate_hz": st.sampled_from([0, 20, 2**31]),
        "ticks": st.sampled_from([0, 1, 200, 2**32 - 1]),
        "left_out_ns": st.sampled_from([0, 10**11, 3600 * 10**9, 2**64 - 1]),
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

_PROPER: dict[str, object] = {
    "process": 1, "mode": pb.MODE_GIL, "outcome": pb.OUTCOME_COMPLETE, "started_unix_ns": NOW_NS,
    "duration_ns": 10**10, "ticks": 200, "stacks": [1, 2], "lines": [1, 0], "counts": [3, 4],
    "native_counts": [0, 4],
}  # fmt: skip


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
    window = pb.Window(**{**_PROPER, **fields})  # type: ignore[arg-type]
    batch = pb.Batch(sequence=sequence, clock_offset_ns=offset, windows=[window])
    dictionary = _dictionary()
    received = Received(batch, dictionary, Origin("a", 1), NOW_NS)
    quick = decode([received], Limits())
    assert quick is None or judge(received, Limits()).clean
    if fields == {} and sequence and offset >= 0:
        assert quick is not None


@settings(max_examples=300)
@given(st.lists(_WINDOW, min_size=1, max_size=4))
def test_whatever_is_taken_adds_up_in_what_columns_hold(changes: list[dict[str, object]]) -> None:
    windows = [pb.Window(**{**_PROPER, **fields}) for fields in changes]  # type: ignore[arg-type]
    batch = pb.Batch(sequence=1, windows=windows)
    rows = gather([Received(batch, _dictionary(), Origin("a", 1), NOW_NS)], Limits()).rows
    for row in map(_named, rows.windows):
        assert row["period_ns"] <= Limits().sampled_ns
        assert row["samples"] * row["period_ns"] <= Limits().sampled_ns
    assert 1000 * Limits().sampled_ns < 2**64
    assert np.isfinite(np.float32(10**6 * float(Limits().sampled_ns) ** 2))


def test_a_refusal_hurts_no_neighbour(batch: Make, window: Callable[..., pb.Window], dictionary: Dictionary) -> None:
    other = _dictionary()
    bad = batch(sequence=2, windows=[window(), window(stacks=[1, 99, 2])])
    parts = [
        Received(batch(), dictionary, Origin("a", 1), NOW_NS),
        Received(bad, dictionary, Origin("a", 1), NOW_NS),
        Received(batch(), other, Origin("b", 1), NOW_NS),
    ]
    gathered = gather(parts, Limits())
    assert [type(verdict) for verdict in gathered.verdicts] == [type(None), Refusal, type(None)]
    assert len(gathered.rows.windows) == 2
    assert gathered.rows.samples.count.tolist() == [1, 2, 1] * 2
    assert gathered.rows.samples.stack_id.tolist()[3:] == [int(other.stack_ids[number]) for number in (1, 2, 1)]
    for stack in set(gathered.rows.samples.stack_id.tolist()):
        assert len(gathered.rows.stacks[stack]) > 0


@settings(max_examples=300)
@given(st.lists(_WINDOW, min_size=1, max_size=4), st.integers(0, 3))
def test_the_good_windows_of_a_batch_are_as_if_they_were_alone(changes: list[dict[str, object]], place: int) -> None:
    """Whatever is beside it, a proper window keeps its id and its samples, and all CPU that can be believed stays."""
    windows = [pb.Window(**{**_PROPER, **fields}) for fields in changes]  # type: ignore[arg-type]
    place = min(place, len(windows))
    windows.insert(place, pb.Window(**_PROPER, gap_cpu_ns=7))  # type: ignore[arg-type]
    dictionary = _dictionary()
    batch = pb.Batch(sequence=3, windows=windows)
    gathered = gather([Received(batch, dictionary, Origin("a", 1), NOW_NS)], Limits())
    (verdict,) = gathered.verdicts
    rows = [_named(row) for row in gathered.rows.windows]
    if isinstance(verdict, Refusal):
        # Only a reference that may yet be defined takes the whole batch with it.
        assert verdict.retryable
        assert rows == []
        return
    parts = verdict.parts if verdict else ()
    alone = gather([Received(pb.Batch(sequence=3, windows=windows[: place + 1]), dictionary, Origin("a", 1), NOW_NS)],
                   Limits())  # fmt: skip
    mine = next(number for number, row in enumerate(rows) if row["position"] == place)
    assert rows[mine] == next(row for row in map(_named, alone.rows.windows) if row["position"] == place)
    samples = gathered.rows.samples
    assert samples.count[samples.window == mine].tolist() == [3, 4]
    left_out = {part.position for part in parts if not part.measured}
    assert sorted(row["position"] for row in rows) == [one for one in range(len(windows)) if one not in left_out]
    assert sum(row["cpu_user_ns"] + row["gap_cpu_ns"] for row in rows) == sum(
        window.usage.cpu_user_ns + window.gap_cpu_ns for one, window in enumerate(windows) if one not in left_out
    )
    assert all(windows[one].process == 0 or max(_cpu(windows[one])) > Limits().cpu_ns for one in left_out)
    for row in rows:
        refused = any(part.position == row["position"] for part in parts)
        assert (row["outcome"] == "refused") == refused
        assert (row["samples"] == 0) or not refused


def test_what_is_beyond_the_ages_is_booked_where_it_is_placed(
    batch: Make, window: Callable[..., pb.Window], dictionary: Dictionary
) -> None:
    future, late = NOW_NS + 86_400 * 10**9, NOW_NS - 14 * 86_400 * 10**9
    sent = batch(windows=[window(started_unix_ns=future, reason="rotation"), window(), window(started_unix_ns=late)])
    asked: list[object] = []

    def place(astray: object) -> dict[int, int]:
        asked.extend(list(astray))  # type: ignore[call-overload]
        return {asked[0].batch_id: NOW_NS - 60 * 10**9}  # type: ignore[attr-defined]

    gathered = gather([Received(sent, dictionary, Origin("a", 1), NOW_NS)], Limits(), place)
    assert gathered.verdicts == [None]
    assert gathered.corrected == {"future": 1, "late": 1}
    first, second, third = map(_named, gathered.rows.windows)
    ms = NOW_NS // 10**6
    assert [row["started_at"] for row in (first, second, third)] == [ms - 60_000, ms, ms - 60_000]
    assert [row["agent_started_at"] for row in (first, third)] == [future // 10**6, late // 10**6]
    assert [row["reason"] for row in (first, second, third)] == ["future: rotation", "", "late"]
    assert gathered.rows.samples.count.tolist() == [1, 2, 1] * 3


@pytest.mark.parametrize(("first", "reason"), [(NOW_NS - 120 * 10**9, "future"), (NOW_NS - 30 * 10**9, "")])
def test_a_batch_in_doubt_is_judged_as_of_when_it_first_came(
    batch: Make, window: Callable[..., pb.Window], dictionary: Dictionary, first: int, reason: str
) -> None:
    start = NOW_NS + (Limits().future_seconds - 60) * 10**9
    sent = batch(windows=[window(started_unix_ns=start)])
    gathered = gather(
        [Received(sent, dictionary, Origin("a", 1), NOW_NS)], Limits(), lambda astray: {astray[0].batch_id: first}
    )
    (row,) = map(_named, gathered.rows.windows)
    assert (row["reason"], row["started_at"]) == (reason, (first if reason else start) // 10**6)


def test_points_and_facts_are_left_out_alone(batch: Make, dictionary: Dictionary) -> None:
    sent = batch(
        points=[
            pb.MetricPoint(series=1, unix_ns=NOW_NS, value=value) for value in (1.0, float("nan"), 2.0)
        ],
        files=[pb.FileFacts(codebase="shop"), pb.FileFacts(
            codebase="shop", path="a.py", language=pb.LANGUAGE_PYTHON,
            functions=[pb.FunctionFacts(qualified_name="f", first_line=1, last_line=2)],
        )],
        codebases=[pb.CodebaseFacts(), pb.CodebaseFacts(codebase="shop", total_files=3)],
    )  # fmt: skip
    gathered = gather([Received(sent, dictionary, Origin("a", 1), NOW_NS)], Limits())
    (verdict,) = gathered.verdicts
    assert isinstance(verdict, Partial)
    assert [(part.kind, part.position) for part in verdict.parts] == [
        (pb.PART_KIND_POINT, 1), (pb.PART_KIND_FILE, 0), (pb.PART_KIND_CODEBASE, 0)
    ]  # fmt: skip
    assert [row[4] for row in gathered.rows.points] == [1.0, 2.0]
    assert [row[3] for row in gathered.rows.code_functions] == ["f"]
    assert gathered.rows.codebases == [("shop", 3, 0)]
    assert len(gathered.rows.windows) == 1


def _named(row: Row) -> dict[str, Any]:
    return dict(zip(r.WINDOW, row, strict=True))


def _cpu(window: pb.Window) -> tuple[int, ...]:
    return window.usage.cpu_user_ns, window.usage.cpu_system_ns, window.gap_cpu_ns


def test_windows_that_are_all_left_out_leave_rows_that_can_be_written(
    batch: Make, window: Callable[..., pb.Window], dictionary: Dictionary
) -> None:
    """An array without elements has to have the type of the others: the group is one block."""
    bad = pb.MetricPoint(series=1, unix_ns=NOW_NS, value=float("nan"))
    for windows in ([], [window(usage=pb.Usage(cpu_user_ns=2**63))]):
        parts = [
            Received(batch(windows=windows, points=[bad]), dictionary, Origin("a", 1), NOW_NS),
            Received(batch(), dictionary, Origin("b", 1), NOW_NS),
        ]
        rows = gather(parts, Limits()).rows
        assert len(rows.windows) == 1
        assert rows.samples.window.tolist() == [0, 0, 0]
        assert np.issubdtype(rows.samples.window.dtype, np.integer)


def test_stacks_are_looked_up_in_the_stream_that_sent_them(batch: Make, dictionary: Dictionary) -> None:
    other = _dictionary()
    parts = [Received(batch(), one, Origin(name, 1), NOW_NS) for one, name in ((dictionary, "a"), (other, "b"))]
    stacks = gather(parts, Limits()).rows.stacks
    for one in (dictionary, other):
        for number in (1, 2):
            assert stacks[int(one.stack_ids[number])].tolist() == one.functions_of(number).tolist()
    with pytest.raises(KeyError):
        stacks[12345]


def test_a_stack_that_was_defined_anew_does_not_stand_for_the_old_one(batch: Make, dictionary: Dictionary) -> None:
    """Its id is everybody's. Neither the number of a stack nor that of a function may change what others see."""
    other = pb.Function(id=3, language=pb.LANGUAGE_PYTHON, qualified_name="other", owner=pb.OWNER_APPLICATION)
    rows = gather([Received(batch(), dictionary, Origin("a", 1), NOW_NS)], Limits()).rows
    one, two = dictionary.stack_ids[1:3].tolist()
    dictionary.define(pb.Definitions(stacks=[pb.Stack(id=1, functions=[1, 1])], functions=[other]))
    assert {one, two} <= set(rows.samples.stack_id.tolist())
    assert rows.stacks.get(one) is None
    assert rows.stacks.get(two) is None


def test_what_was_defined_comes_with_the_batch_that_follows(
    batch: Make, window: Callable[..., pb.Window], definitions: pb.Definitions
) -> None:
    """So that all stacks that are new are one insert, and not one whenever the first sample of one comes."""
    dictionary = Dictionary(Limits())
    numbers = dictionary.define(definitions)
    parts = [Received(batch(windows=[window(stacks=[1, 1, 1])]), dictionary, Origin("a", 1), NOW_NS, (), [numbers])]
    rows = gather(parts, Limits()).rows
    assert set(rows.samples.stack_id.tolist()) == {int(dictionary.stack_ids[1])}
    assert sorted(rows.defined.tolist()) == sorted(dictionary.stack_ids[[1, 2, 3]].tolist())
    for key in rows.defined.tolist():
        assert len(rows.stacks[key])


def test_nothing_is_nothing() -> None:
    gathered = gather([], Limits())
    assert len(gathered.rows) == 0
    assert gathered.verdicts == []
