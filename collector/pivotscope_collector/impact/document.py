"""The comparison as a JSON document of a published schema."""

import json
from functools import cache
from importlib import resources
from math import isfinite
from typing import Any

from jsonschema import Draft202012Validator

from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.impact.comparison import ArmSummary, Comparison, MetricResult
from pivotscope_collector.impact.effect import Effect
from pivotscope_collector.impact.question import Question
from pivotscope_collector.impact.speedup import Statement
from pivotscope_collector.names import shown

Document = dict[str, Any]

VERSION = "1.0"


@cache
def schema() -> Document:
    """The JSON Schema of a comparison."""
    text = resources.files(__package__).joinpath("comparison.schema.json").read_text("utf-8")
    loaded: Document = json.loads(text)
    return loaded


def document(comparison: Comparison, question: Question, statement: Statement | None = None) -> Document:
    """The document, validated. Bounds that are infinite are null. `statement` holds the speed-up against the plan's."""
    result: Document = {
        "kind": "comparison",
        "schema_version": VERSION,
        "service": question.service,
        "environment": "" if question.environment is None else shown(question.environment),
        "arms": {"a": _arm(comparison.a), "b": _arm(comparison.b)},
        "design": {
            "paired": comparison.paired,
            "block_seconds": comparison.block_seconds,
            "blocks": comparison.blocks,
            "blocks_left_out": comparison.blocks_left_out,
            "stages_unix_ns": list(comparison.stages_ns),
            "stages_given": comparison.stages_given,
            "shared_process": comparison.shared_process,
            "grade": comparison.grade.value,
            "grade_meaning": comparison.grade.meaning,
            "sample_ratio": _sample_ratio(comparison),
            "confidence": 0.95,
        },
        "metrics": [_metric(result) for result in comparison.metrics],
        "speedup": _interval(comparison.speedup),
        "prediction": None if statement is None else {"outcome": statement.outcome.value, "text": statement.text},
        "missing": [{"role": m.role, "arms": list(m.arms), "advice": m.advice} for m in comparison.missing],
    }
    validate(result)
    return result


def validate(instance: Document) -> None:
    """Raise jsonschema's ValidationError where the document is not of the schema."""
    Draft202012Validator(schema()).validate(instance)


def _arm(arm: ArmSummary) -> Document:
    return {
        "label": arm.label,
        "from_unix_ns": arm.from_ns,
        "to_unix_ns": arm.to_ns,
        "blocks": arm.blocks,
        "requests": arm.requests,
        "functions": list(arm.functions),
        "problems": list(arm.problems),
    }


def _sample_ratio(comparison: Comparison) -> Document | None:
    found = comparison.sample_ratio
    if found is None:
        return None
    return {
        "planned": list(found.planned),
        "observed": list(found.observed),
        "chi_square": found.chi_square,
        "p_value": found.p_value,
        "ok": found.ok,
    }


def _metric(result: MetricResult) -> Document:
    metric, effect = result.metric, result.effect
    return {
        "name": metric.name,
        "title": metric.title,
        "source": result.source,
        "unit": result.unit,
        "better": metric.better.value,
        "margin": metric.margin,
        "primary": result.primary,
        "business": metric.business,
        "claim": result.claim.value,
        "a": _interval(effect.a) if effect else None,
        "b": _interval(effect.b) if effect else None,
        "change": _change(effect) if effect else None,
        "p_value": effect.p_value if effect else None,
        "holm_p_value": result.holm_p,
        "method": effect.method if effect else "",
        "verdict": result.judgement.verdict.value,
        "reason": result.judgement.reason,
        "notes": list(result.notes),
    }


def _change(effect: Effect) -> Document:
    return {
        "scale": effect.scale.value,
        **_bounds(effect.change),
        "as_ratio": _interval(effect.change if effect.scale.value == "ratio" else effect.also),
    }


def _interval(interval: Interval | None) -> Document | None:
    return None if interval is None else _bounds(interval)


def _bounds(interval: Interval) -> Document:
    return {"estimate": _finite(interval.estimate), "low": _finite(interval.low), "high": _finite(interval.high)}


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
