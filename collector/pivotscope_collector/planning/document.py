"""A plan as a document: plain values, rounded, in a stable order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from json import dumps
from math import isfinite
from typing import Any

from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.planning.checks import Check
from pivotscope_collector.planning.files import standing
from pivotscope_collector.planning.journey import Stage
from pivotscope_collector.planning.waves import PlannedFile, Wave, total
from pivotscope_collector.scoring.candidate import Alternative, Bridge, Candidate, Quantiles
from pivotscope_collector.scoring.evidence import Evidence

SCHEMA_VERSION = "1.0"
"""Minor versions add fields, major versions take away or change the meaning of one."""

Document = dict[str, Any]

_TIMES = frozenset({"generated_at", "content_hash", "observed_seconds"})


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a document says. `waves` hold every file of the plan once."""

    evidence: Evidence
    waves: tuple[Wave, ...]
    journey: tuple[Stage, ...]
    checks: tuple[Check, ...]
    assumptions: Mapping[str, float | str | None]


def document(plan: Plan, now_ns: int) -> Document:
    """The plan as `migration-plan.json` has it; `candidates[]` in the ranking's order, whatever wave they are in."""
    evidence = plan.evidence
    result: Document = {
        "schema_version": SCHEMA_VERSION,
        "generated_at": timestamp(now_ns),
        "source": evidence.source,
        "total_files": sum(entry.total_files for entry in evidence.codebases),
        "candidates": _candidates(plan.waves),
        "phases": [_phase(wave) for wave in plan.waves],
        "journey": [_stage(stage) for stage in plan.journey],
        "checks": [_check(check) for check in plan.checks],
        "totals": _totals(plan.waves),
        "codebases": [
            {"codebase": entry.codebase, "total_files": entry.total_files, "total_lines": entry.total_lines}
            for entry in sorted(evidence.codebases, key=lambda entry: entry.codebase)
        ],
        "evidence": _evidence(evidence),
        "assumptions": {key: plan.assumptions[key] for key in sorted(plan.assumptions)},
    }
    result["content_hash"] = content_hash(result)
    return result


def content_hash(plan: Mapping[str, Any]) -> str:
    """SHA-256 over what a plan says, leaving out when it was computed and which hours it looked at."""
    content = {key: value for key, value in plan.items() if key not in _TIMES | {"evidence"}}
    content["services"] = [
        {key: value for key, value in service.items() if key not in _TIMES} for service in plan["evidence"]["services"]
    ]
    text = dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def timestamp(unix_ns: int) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(unix_ns // 1_000_000_000, UTC).isoformat().replace("+00:00", "Z")


def number(value: float, digits: int = 4) -> float:
    """Rounded to significant digits: more would claim a precision that nothing here has."""
    if not isfinite(value):
        raise ValueError(f"a plan cannot hold {value}")
    return float(f"{value:.{digits}g}")


def _candidates(waves: Sequence[Wave]) -> list[Document]:
    placed = [(wave, entry) for wave in waves for entry in wave.files]
    placed.sort(key=lambda pair: (standing(pair[1].file.best), pair[1].file.key))
    return [_candidate(rank, wave, entry) for rank, (wave, entry) in enumerate(placed, start=1)]


def _candidate(rank: int, wave: Wave, entry: PlannedFile) -> Document:
    best = entry.file.best
    return {
        "rank": rank,
        "file": entry.file.path,
        "codebase": entry.file.codebase,
        "language": entry.file.language.value,
        "service": best.service,
        "phase": wave.number,
        "adds": number(entry.adds),
        "functions": [_function(unit, planned=unit in entry.file.planned) for unit in entry.file.units],
        **_judgement(best),
        "movable": _quantiles(best.movable),
        "native": number(best.native),
        "work_class": best.work_class,
        "class_reason": best.class_reason,
        "saved_core_hours": _maybe(best.saved_core_hours),
        "saved_dollars": _maybe(best.saved_dollars),
        "effort_weeks": _quantiles(best.effort_weeks),
        "payback_under_year": number(best.payback_under_year) if best.payback_under_year is not None else None,
        "in_top": number(best.in_top),
        "driver": best.driver,
        "bridge": _bridge(best.bridge),
        "alternative": _alternative(best.alternative),
        "reason": best.reason,
    }


def _judgement(unit: Candidate) -> Document:
    return {
        "score": round(unit.score, 1),
        "score_interval": {"low": round(unit.score_low, 1), "high": round(unit.score_high, 1)},
        "estimated_speedup": number(unit.speedup.p50),
        "speedup": _quantiles(unit.speedup),
        "service_speedup": _quantiles(unit.service_speedup),
        "share": _interval(unit.share),
        "value": _maybe(unit.value),
        "verdict": unit.verdict.value,
    }


def _function(unit: Candidate, *, planned: bool) -> Document:
    names = {(entry.path, entry.qualified_name) for entry in unit.functions if entry != unit.root}
    return {
        "function": unit.root.qualified_name,
        "service": unit.service,
        "planned": planned,
        **_judgement(unit),
        "moves_with_it": [{"file": path, "function": name} for path, name in sorted(names)],
    }


def _phase(wave: Wave) -> Document:
    return {
        "phase": wave.number,
        "name": wave.kind.title,
        "files": len(wave.files),
        "estimated_effort_weeks": max(0.1, round(wave.weeks, 1)),
        "recommended": wave.kind.recommended,
        "reason": wave.kind.reason,
        "effort_weeks": _quantiles(wave.effort),
        "saved_dollars": _saved_dollars([wave]),
        "members": [{"codebase": entry.file.codebase, "file": entry.file.path} for entry in wave.files],
    }


def _totals(waves: Sequence[Wave]) -> Document:
    recommended = [wave for wave in waves if wave.kind.recommended]
    return {
        "candidates": sum(len(wave.files) for wave in waves),
        "recommended_files": sum(len(wave.files) for wave in recommended),
        "recommended_functions": sum(len(entry.portions) for wave in recommended for entry in wave.files),
        "effort_weeks": _quantiles(total(wave.effort for wave in recommended)),
        "saved_core_hours": _saved(recommended, [unit.saved_core_hours for unit in _units(recommended)]),
        "saved_dollars": _saved_dollars(recommended),
    }


def _saved_dollars(waves: Sequence[Wave]) -> Document | None:
    return _saved(waves, [unit.saved_dollars for unit in _units(waves)])


def _units(waves: Sequence[Wave]) -> list[Candidate]:
    return [portion.unit for wave in waves for entry in wave.files for portion in entry.portions]


def _saved(waves: Sequence[Wave], amounts: Sequence[Quantiles | None]) -> Document | None:
    """What the units of these waves save together, overlap taken off; None where it is unknown for one of them."""
    portions = [portion.saving for wave in waves for entry in wave.files for portion in entry.portions]
    known = [amount for amount in amounts if amount is not None]
    if len(known) < len(amounts):
        return None
    parts = (
        Quantiles(amount.p10 * part, amount.p50 * part, amount.p90 * part)
        for amount, part in zip(known, portions, strict=True)
    )
    return _quantiles(total(parts))


def _evidence(evidence: Evidence) -> Document:
    return {
        "since": timestamp(evidence.since_ns),
        "until": timestamp(evidence.until_ns),
        "services": [
            {
                "service": entry.service,
                "codebase": entry.codebase,
                "language": entry.language.value,
                "core_hours_per_year": (
                    number(entry.core_hours_per_year) if entry.core_hours_per_year is not None else None
                ),
                "observed_seconds": number(entry.observed_seconds),
                "unattributed": number(entry.unattributed),
                "functions": len(entry.functions),
            }
            for entry in sorted(evidence.services, key=lambda entry: (entry.service, entry.codebase, entry.language))
        ],
    }


def _stage(stage: Stage) -> Document:
    return {
        "stage": stage.stage,
        "name": stage.name,
        "start_week": stage.start_week,
        "end_week": stage.end_week,
        "weeks": stage.weeks,
        "tasks": list(stage.tasks),
        "reason": stage.reason,
    }


def _check(check: Check) -> Document:
    return {
        "check": check.check,
        "name": check.name,
        "requirement": check.requirement,
        "state": check.state.value,
        "detail": check.detail,
    }


def _bridge(bridge: Bridge) -> Document:
    return {
        "name": bridge.name,
        "pattern": bridge.pattern,
        "reason": bridge.reason,
        "call_ns": _quantiles(bridge.call_ns),
        "crossing": bridge.crossing.value,
    }


def _alternative(alternative: Alternative) -> Document:
    return {
        "name": alternative.name,
        "speedup": _quantiles(alternative.speedup),
        "effort_weeks": _quantiles(alternative.effort_weeks),
        "reason": alternative.reason,
    }


def _quantiles(value: Quantiles) -> Document:
    return {"p10": number(value.p10), "p50": number(value.p50), "p90": number(value.p90)}


def _maybe(value: Quantiles | None) -> Document | None:
    return _quantiles(value) if value is not None else None


def _interval(value: Interval) -> Document:
    return {"estimate": number(value.estimate), "low": number(value.low), "high": number(value.high)}
