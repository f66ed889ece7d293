"""Batches with more in them than fits: refused before anything goes over what they hold."""

from collections.abc import Callable

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.ingest.decode import Origin, Received
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.gather import gather
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Refusal

from tests.collector.ingest.conftest import NOW_NS

MANY = Limits().parts + 1


def _crowded() -> dict[str, pb.Batch]:
    half = [pb.FunctionFacts()] * (Limits().functions // 2 + 1)
    return {
        "windows": pb.Batch(sequence=1, windows=[pb.Window()] * MANY),
        "points": pb.Batch(sequence=1, points=[pb.MetricPoint()] * MANY),
        "files": pb.Batch(sequence=1, files=[pb.FileFacts()] * MANY),
        "codebases": pb.Batch(sequence=1, codebases=[pb.CodebaseFacts()] * MANY),
        "all kinds": pb.Batch(
            sequence=1, points=[pb.MetricPoint()] * (MANY // 2), codebases=[pb.CodebaseFacts()] * (MANY // 2 + 1)
        ),
        "functions": pb.Batch(sequence=1, files=[pb.FileFacts(functions=half)] * 2),
    }


@pytest.mark.parametrize("kind", _crowded())
def test_a_crowded_batch_is_refused_whole_and_unseen(
    monkeypatch: pytest.MonkeyPatch, batch: Callable[..., pb.Batch], dictionary: Dictionary, kind: str
) -> None:
    def looked(*_: object) -> None:
        raise AssertionError("its parts were looked at")

    for name in ("window", "point", "file", "codebase"):
        monkeypatch.setattr(f"pivotscope_collector.ingest.judge.{name}_problems", looked)
    crowded = Received(_crowded()[kind], dictionary, Origin("a", 1), NOW_NS)
    gathered = gather([crowded, Received(batch(), dictionary, Origin("b", 1), NOW_NS)], Limits())
    refusal, beside = gathered.verdicts
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.retryable) == (pb.REJECTION_REASON_TOO_LARGE, False)
    assert beside is None
    assert len(gathered.rows.windows) == 1


def test_every_part_weighs_in_a_group(dictionary: Dictionary) -> None:
    """Else a group of small messages would hold any number of them."""
    parts = pb.Batch(
        windows=[pb.Window(), pb.Window(stacks=[1, 2])],
        points=[pb.MetricPoint()] * 3,
        files=[pb.FileFacts(functions=[pb.FunctionFacts()] * 4)] * 2,
        codebases=[pb.CodebaseFacts()],
    )
    assert len(Received(parts, dictionary, Origin("a", 1))) == 1 + (1 + 2) + 3 + 2 * (1 + 4) + 1
