from collections.abc import Callable

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Refusal
from pivotscope_collector.ingest.validate import check

NOW_NS = 1_795_000_000_000_000_000
DAY_NS = 86_400_000_000_000
Make = Callable[..., pb.Batch]


def test_a_proper_batch_is_fine(batch: Make, dictionary: Dictionary, limits: Limits) -> None:
    assert check(batch(), dictionary, limits, NOW_NS) is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"process": 9}, "process 9 is not defined"),
        ({"stacks": [1, 2, 99]}, "stack 99 is not defined"),
        ({"stacks": [1, 2, 2**32 - 1]}, "stack 4294967295 is not defined"),
    ],
)
def test_unknown_references_can_be_sent_again(
    window: Callable[..., pb.Window], dictionary: Dictionary, limits: Limits, fields: dict[str, object], said: str
) -> None:
    refusal = check(pb.Batch(sequence=1, windows=[window(**fields)]), dictionary, limits, NOW_NS)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.retryable) == (pb.REJECTION_REASON_UNKNOWN_REFERENCE, True)
    assert f"windows[0]: {said}" in refusal.detail


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mode": pb.MODE_UNSPECIFIED}, "mode 0"),
        ({"outcome": 77}, "outcome 77"),
        ({"duration_ns": -1}, "duration_ns is -1"),
        ({"duration_ns": 2**62}, "duration_ns"),
        ({"started_unix_ns": NOW_NS - 14 * DAY_NS}, "1209600 s old"),
        ({"started_unix_ns": NOW_NS + DAY_NS}, "86400 s in the future"),
        ({"rate_hz": 100_000}, "rate_hz is 100000"),
        ({"lines": [1, 2]}, "(3, 2, 3, 3) rows"),
        ({"counts": [1, 0, 1]}, "counts must be above 0"),
        ({"native_counts": [0, 3, 0]}, "native_counts at most counts"),
        ({"counts": [2**32 - 1] * 3}, "more than 1000000000 samples"),
        ({"lines": [1, 2, 2**31]}, "a line above"),
        ({"outcome": pb.OUTCOME_SAMPLER_FAILED}, "only complete windows"),
        ({"mode": pb.MODE_NONE}, "only complete windows"),
        ({"rate_hz": 0, "ticks": 0}, "stand for nothing"),
        ({"usage": pb.Usage(cpu_user_ns=2**63)}, "CPU of"),
        ({"usage": pb.Usage(resident_bytes=2**63)}, "bytes, at most"),
        ({"reason": "x" * 5000}, "5000 characters"),
    ],
)
def test_wrong_windows_are_refused_for_good(
    window: Callable[..., pb.Window], dictionary: Dictionary, limits: Limits, fields: dict[str, object], said: str
) -> None:
    refusal = check(pb.Batch(sequence=1, windows=[window(**fields)]), dictionary, limits, NOW_NS)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.retryable) == (pb.REJECTION_REASON_INVALID, False)
    assert said in refusal.detail


def test_ages_are_judged_by_the_corrected_clock(
    window: Callable[..., pb.Window], batch: Make, dictionary: Dictionary, limits: Limits
) -> None:
    slow = batch(windows=[window(started_unix_ns=NOW_NS - 30 * DAY_NS)], clock_offset_ns=30 * DAY_NS)
    assert check(slow, dictionary, limits, NOW_NS) is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"series": 1, "value": float("nan")}, "value is nan"),
        ({"series": 1, "value": float("inf")}, "value is inf"),
        ({"series": 1, "value": -1.0}, "a counter of -1.0"),
        ({"series": 1, "value": 1.0, "buckets": [1]}, "1 buckets, expected 0"),
        ({"series": 2, "value": 1.0, "count": 3, "buckets": [1, 1]}, "2 buckets, expected 3"),
        ({"series": 2, "value": 1.0, "count": 4, "buckets": [1, 1, 1]}, "add up to 3, count is 4"),
        ({"series": 1, "value": 1.0, "start_unix_ns": NOW_NS + 1}, "start_unix_ns"),
    ],
)
def test_wrong_points_are_refused(
    batch: Make, dictionary: Dictionary, limits: Limits, fields: dict[str, object], said: str
) -> None:
    point = pb.MetricPoint(**{"unix_ns": NOW_NS, **fields})  # type: ignore[arg-type]
    refusal = check(batch(points=[point]), dictionary, limits, NOW_NS)
    assert isinstance(refusal, Refusal)
    assert said in refusal.detail
    assert not refusal.retryable


def test_too_much_is_told_apart(batch: Make, dictionary: Dictionary) -> None:
    refusal = check(batch(), dictionary, Limits(windows=0), NOW_NS)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == pb.REJECTION_REASON_TOO_LARGE
    refusal = check(batch(), dictionary, Limits(rows_per_window=2), NOW_NS)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == pb.REJECTION_REASON_TOO_LARGE


@pytest.mark.parametrize(
    "file",
    [
        pb.FileFacts(codebase="shop", language=pb.LANGUAGE_PYTHON),
        pb.FileFacts(codebase="shop", path="a.py"),
        pb.FileFacts(
            path="a.py",
            language=pb.LANGUAGE_PYTHON,
            functions=[pb.FunctionFacts(qualified_name="f", first_line=3, last_line=2)],
        ),
        pb.FileFacts(path="a.py", language=pb.LANGUAGE_PYTHON, functions=[pb.FunctionFacts(first_line=1, last_line=2)]),
    ],
)
def test_wrong_facts_are_refused(batch: Make, dictionary: Dictionary, limits: Limits, file: pb.FileFacts) -> None:
    assert isinstance(check(batch(files=[file]), dictionary, limits, NOW_NS), Refusal)


def test_sequence_zero_and_nameless_codebases_are_refused(batch: Make, dictionary: Dictionary, limits: Limits) -> None:
    assert isinstance(check(batch(sequence=0), dictionary, limits, NOW_NS), Refusal)
    assert isinstance(check(batch(codebases=[pb.CodebaseFacts()]), dictionary, limits, NOW_NS), Refusal)
