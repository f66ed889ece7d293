"""The whole of planning: what the document says for hand-made candidates."""

import json
from collections.abc import Callable
from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest
from pivotscope_collector.errors import UsageError
from pivotscope_collector.planning import plan
from pivotscope_collector.planning.document import content_hash
from pivotscope_collector.planning.schema import schema, validate
from pivotscope_collector.planning.team import Team
from pivotscope_collector.scoring.candidate import Candidate, Quantiles, Verdict
from pivotscope_collector.scoring.evidence import Evidence
from pivotscope_collector.scoring.settings import ScoringSettings

NOW_NS = 1_780_000_000_000_000_000


@pytest.fixture
def document(evidence: Evidence, candidates: tuple[Candidate, ...]) -> dict[str, Any]:
    return plan.build(evidence, candidates, ScoringSettings(), NOW_NS)


def test_every_field_of_the_guide_is_there_with_its_type(document: dict[str, Any]) -> None:
    assert type(document["total_files"]) is int
    assert document["total_files"] == 156
    first = document["candidates"][0]
    assert first["file"] == "core/sales_aggregator.py"
    assert first["score"] == 92.3
    assert first["estimated_speedup"] == 12.5
    assert [entry["function"] for entry in first["functions"]] == ["calculate_commission", "aggregate"]
    phase = document["phases"][0]
    assert phase["phase"] == 1
    assert phase["name"] == "Low-hanging fruit"
    assert type(phase["files"]) is int
    assert isinstance(phase["estimated_effort_weeks"], int | float)


def test_each_file_is_one_candidate_in_exactly_one_phase(document: dict[str, Any]) -> None:
    files = [entry["file"] for entry in document["candidates"]]
    members = [entry["file"] for phase in document["phases"] for entry in phase["members"]]
    assert sorted(files) == sorted(members) == sorted(set(files))
    assert [phase["phase"] for phase in document["phases"]] == list(range(1, len(document["phases"]) + 1))
    for phase in document["phases"]:
        assert phase["files"] == len(phase["members"])
        assert [entry["phase"] for entry in document["candidates"]].count(phase["phase"]) == phase["files"]


def test_sums_leave_out_what_overlaps(document: dict[str, Any]) -> None:
    # commission 1000 and parse 1000 whole; aggregate adds its own 0.1 of 0.5; handle is mostly covered by then
    assert document["totals"]["saved_dollars"]["p50"] == pytest.approx(2200.0)
    assert document["totals"]["recommended_functions"] == 3
    handle = next(entry for entry in document["candidates"] if entry["file"] == "app.py")
    assert handle["adds"] == pytest.approx(0.1 / 0.6, rel=1e-3)
    assert document["phases"][handle["phase"] - 1]["name"] == "Covered by earlier waves"


def test_assumptions_and_span_stand_in_the_document(document: dict[str, Any]) -> None:
    assert document["assumptions"]["price"] == 0.048
    assert document["assumptions"]["parity_cases"] == 10_000
    assert document["evidence"]["since"] == "1970-01-01T00:00:00Z"
    assert document["evidence"]["until"] == "1970-01-08T00:00:00Z"
    assert document["generated_at"] == "2026-05-28T20:26:40Z"


def test_the_hash_does_not_depend_on_times(evidence: Evidence, candidates: tuple[Candidate, ...]) -> None:
    one = plan.build(evidence, candidates, ScoringSettings(), NOW_NS)
    other = plan.build(
        replace(evidence, until_ns=evidence.until_ns + 10**12), candidates, ScoringSettings(), NOW_NS + 10**12
    )
    assert one["generated_at"] != other["generated_at"]
    assert one["content_hash"] == other["content_hash"] == content_hash(one)
    changed = plan.build(evidence, candidates, ScoringSettings(price=0.05), NOW_NS)
    assert changed["content_hash"] != one["content_hash"]


def test_the_order_of_equal_input_does_not_matter(evidence: Evidence, candidates: tuple[Candidate, ...]) -> None:
    one = plan.build(evidence, candidates, ScoringSettings(), NOW_NS)
    other = plan.build(evidence, tuple(reversed(candidates)), ScoringSettings(), NOW_NS)
    assert json.dumps(one) == json.dumps(other)


def test_no_candidates_is_a_valid_plan(evidence: Evidence) -> None:
    empty = plan.build(evidence, (), ScoringSettings(), NOW_NS)
    assert empty["phases"] == []
    assert [stage["weeks"] for stage in empty["journey"]] == [1, 0, 0, 0]
    assert {check["state"] for check in empty["checks"]} == {"not applicable"}


def test_money_unknown_is_null_in_sums_too(evidence: Evidence, candidate: Callable[..., Candidate]) -> None:
    root = evidence.services[0].functions[0].function
    unknown = candidate(root, 0.0, value=None, saved_dollars=None, saved_core_hours=None, payback_under_year=None)
    document = plan.build(evidence, (unknown,), ScoringSettings(), NOW_NS)
    assert document["candidates"][0]["value"] is None
    assert document["totals"]["saved_dollars"] is None


@pytest.mark.parametrize("value", [nan, inf])
def test_a_plan_holds_finite_numbers_only(
    evidence: Evidence, candidate: Callable[..., Candidate], value: float
) -> None:
    root = evidence.services[0].functions[0].function
    with pytest.raises(ValueError, match="cannot hold"):
        plan.build(evidence, (candidate(root, 1.0, speedup=Quantiles(1.0, value, 2.0)),), ScoringSettings(), NOW_NS)


def test_verdicts_decide_the_phase(evidence: Evidence, candidate: Callable[..., Candidate]) -> None:
    roots = [entry.function for entry in evidence.services[0].functions]
    found = plan.build(
        evidence,
        (
            candidate(roots[0], 90.0, verdict=Verdict.NOT_WORTH_IT),
            candidate(roots[1], 80.0, verdict=Verdict.USE_ALTERNATIVE),
            candidate(roots[3], 70.0, verdict=Verdict.INSUFFICIENT_DATA),
        ),
        ScoringSettings(),
        NOW_NS,
    )
    names = [phase["name"] for phase in found["phases"]]
    assert names == ["Cheaper without a rewrite", "Measure first", "Not worth it today"]
    assert found["phases"][0]["estimated_effort_weeks"] == 0.5
    assert not any(phase["recommended"] for phase in found["phases"])
    assert found["totals"]["effort_weeks"]["p50"] == 0.0


def test_the_journey_is_as_long_as_work_and_watching(document: dict[str, Any]) -> None:
    stages = document["journey"]
    assert [stage["name"] for stage in stages] == ["Analysis", "Prototype", "Incremental rollout", "Stabilisation"]
    assert [stage["start_week"] for stage in stages[1:]] == [stage["end_week"] + 1 for stage in stages[:-1]]
    # commission 2 weeks, aggregate 2 × 30 of 40 lines, parse 2: the three prototypes
    assert stages[1]["weeks"] == 6
    assert stages[2]["weeks"] == 2


def test_a_larger_team_is_faster_but_splits_no_file(evidence: Evidence, candidates: tuple[Candidate, ...]) -> None:
    many = plan.build(evidence, candidates, ScoringSettings(), NOW_NS, Team(engineers=100))
    assert many["phases"][0]["estimated_effort_weeks"] == 3.5
    assert many["phases"][0]["effort_weeks"]["p50"] == 5.5


def test_the_schema_is_a_valid_strict_one(document: dict[str, Any]) -> None:
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    validate(document)
    with pytest.raises(UsageError, match=r"\$.*total_fils"):
        validate(document | {"total_fils": 1})
    broken = json.loads(json.dumps(document))
    broken["candidates"][0]["score"] = 101
    with pytest.raises(UsageError, match=r"candidates\[0\]\.score"):
        validate(broken)
