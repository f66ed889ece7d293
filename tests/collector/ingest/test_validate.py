from collections.abc import Callable

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.ingest.decode import Origin, Received, decode
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.judge import Judged, judge
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Part, Refusal

NOW_NS = 1_795_000_000_000_000_000
DAY_NS = 86_400_000_000_000
Make = Callable[..., pb.Batch]


def _judged(batch: pb.Batch, dictionary: Dictionary, limits: Limits) -> Judged:
    return judge(Received(batch, dictionary, Origin("agent", 1), NOW_NS), limits)


def _part(batch: pb.Batch, dictionary: Dictionary, limits: Limits) -> Part:
    """The one part that is left out."""
    judged = _judged(batch, dictionary, limits)
    assert judged.refusal is None
    (part,) = judged.parts
    assert not part.refusal.retryable
    return part


def test_a_proper_batch_is_fine(batch: Make, dictionary: Dictionary, limits: Limits) -> None:
    assert _judged(batch(), dictionary, limits).clean


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
    refusal = _judged(pb.Batch(sequence=1, windows=[window(), window(**fields)]), dictionary, limits).refusal
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.retryable) == (pb.REJECTION_REASON_UNKNOWN_REFERENCE, True)
    assert f"windows[1]: {said}" in refusal.detail


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mode": pb.MODE_UNSPECIFIED}, "mode 0"),
        ({"outcome": 77}, "outcome 77"),
        ({"duration_ns": -1}, "duration_ns is -1"),
        ({"duration_ns": 2**62}, "duration_ns"),
        ({"rate_hz": 100_000}, "rate_hz is 100000"),
        ({"lines": [1, 2]}, "(3, 2, 3, 3) rows"),
        ({"counts": [1, 0, 1]}, "counts must be above 0"),
        ({"native_counts": [0, 3, 0]}, "native_counts at most counts"),
        ({"counts": [2**32 - 1] * 3}, "more than 1000000000 samples"),
        ({"lines": [1, 2, 2**31]}, "a line above"),
        ({"outcome": pb.OUTCOME_SAMPLER_FAILED}, "only complete windows"),
        ({"mode": pb.MODE_NONE}, "only complete windows"),
        ({"rate_hz": 0, "ticks": 0}, "stand for nothing"),
        (
            {"rate_hz": 1, "ticks": 0, "duration_ns": 100, "left_out_ns": 3600 * 10**9},
            "samples of 36000000001000000000 ns",
        ),
        ({"ticks": 1, "duration_ns": 3600 * 10**9, "counts": [10**8] * 3}, "300000000 samples of 3600000000000 ns"),
        ({"usage": pb.Usage(cpu_user_ns=2**63)}, "CPU of"),
        ({"usage": pb.Usage(resident_bytes=2**63)}, "bytes, at most"),
        ({"reason": "x" * 5000}, "5000 characters"),
    ],
)
def test_wrong_windows_are_refused_for_good(
    window: Callable[..., pb.Window], dictionary: Dictionary, limits: Limits, fields: dict[str, object], said: str
) -> None:
    part = _part(pb.Batch(sequence=1, windows=[window(), window(**fields), window()]), dictionary, limits)
    assert (part.kind, part.position) == (pb.PART_KIND_WINDOW, 1)
    assert part.refusal.reason == pb.REJECTION_REASON_INVALID
    assert said in part.refusal.detail
    # What it measured is kept unless that is what is wrong.
    assert part.measured == (said != "CPU of")


def test_ages_are_judged_by_the_corrected_clock(
    window: Callable[..., pb.Window], batch: Make, dictionary: Dictionary, limits: Limits
) -> None:
    slow = batch(windows=[window(started_unix_ns=NOW_NS - 30 * DAY_NS)], clock_offset_ns=30 * DAY_NS)
    assert _judged(slow, dictionary, limits).clean


def test_windows_beyond_the_ages_are_flagged(
    window: Callable[..., pb.Window], batch: Make, dictionary: Dictionary, limits: Limits
) -> None:
    starts = (NOW_NS, NOW_NS - 14 * DAY_NS, NOW_NS + DAY_NS, -(2**63))
    judged = _judged(batch(windows=[window(started_unix_ns=ns) for ns in starts]), dictionary, limits)
    assert (judged.refusal, judged.parts) == (None, ())
    assert judged.flags == {1: "late", 2: "future", 3: "late"}
    assert (judged.astray.late, judged.astray.future, judged.astray.now_ns) == (2, 1, NOW_NS)


@pytest.mark.parametrize("seconds", [301, 600, -13 * 86_400])
def test_times_near_the_limits_are_in_doubt(
    window: Callable[..., pb.Window], batch: Make, dictionary: Dictionary, limits: Limits, seconds: int
) -> None:
    surely = 300 if seconds > 0 else seconds + 300
    for one, doubtful in ((seconds, True), (surely, False)):
        judged = _judged(batch(windows=[window(started_unix_ns=NOW_NS + one * 10**9)]), dictionary, limits)
        assert (judged.clean, judged.doubtful) == (True, doubtful)
        assert (decode([judged.received], limits) is None) == doubtful


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
        ({"series": 1, "value": 1.0, "unix_ns": NOW_NS - 14 * DAY_NS}, "1209600 s old"),
        ({"series": 1, "value": 1.0, "unix_ns": NOW_NS + DAY_NS}, "86400 s in the future"),
    ],
)
def test_wrong_points_are_refused(
    batch: Make, dictionary: Dictionary, limits: Limits, fields: dict[str, object], said: str
) -> None:
    point = pb.MetricPoint(**{"unix_ns": NOW_NS, **fields})  # type: ignore[arg-type]
    part = _part(batch(points=[point]), dictionary, limits)
    assert (part.kind, part.position, part.measured) == (pb.PART_KIND_POINT, 0, False)
    assert said in part.refusal.detail


def test_too_much_is_told_apart(batch: Make, dictionary: Dictionary) -> None:
    refusal = _judged(batch(), dictionary, Limits(parts=0)).refusal
    assert isinstance(refusal, Refusal)
    assert refusal.reason == pb.REJECTION_REASON_TOO_LARGE
    part = _part(batch(), dictionary, Limits(rows_per_window=2))
    assert part.refusal.reason == pb.REJECTION_REASON_TOO_LARGE


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
    assert _part(batch(files=[file]), dictionary, limits).kind == pb.PART_KIND_FILE


def test_sequence_zero_is_refused_and_nameless_codebases_are_left_out(
    batch: Make, dictionary: Dictionary, limits: Limits
) -> None:
    assert _judged(batch(sequence=0), dictionary, limits).refusal is not None
    assert _part(batch(codebases=[pb.CodebaseFacts()]), dictionary, limits).kind == pb.PART_KIND_CODEBASE
