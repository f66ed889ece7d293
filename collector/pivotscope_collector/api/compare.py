"""Two arms of a service held against each other, and the plan's promise against the outcome."""

import json
from dataclasses import replace
from typing import Any

from pivotscope.v1 import query_pb2

from pivotscope_collector.api.selection import Named, require_names
from pivotscope_collector.errors import UsageError
from pivotscope_collector.impact.answer import answer
from pivotscope_collector.impact.comparison import Comparison
from pivotscope_collector.impact.document import document
from pivotscope_collector.impact.grade import Design
from pivotscope_collector.impact.question import Question, Side
from pivotscope_collector.impact.speedup import Statement, holds
from pivotscope_collector.names import shown
from pivotscope_collector.scoring.candidate import Quantiles
from pivotscope_collector.store import plans
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.impact import ImpactReader
from pivotscope_collector.store.reader import Selection


def compare_arms(
    client: Client, selection: Selection, request: query_pb2.CompareRequest, seen: set[Named]
) -> query_pb2.CompareResponse:
    """The comparison document of a request; `seen` are names that are known to exist."""
    a, b = _sides(selection, request)
    for side in (a, b):
        require_names(client, replace(selection, version=side.version, variant=side.variant), seen)
    question = Question(
        service=selection.service,
        environment=selection.environment,
        a=a,
        b=b,
        function_a=request.function_a,
        function_b=request.function_b,
        design=Design(
            randomised=request.randomised,
            planned=tuple(request.planned_shares),
            boundaries_ns=tuple(request.stage_unix_ns),
        ),
    )
    comparison = answer(ImpactReader(client), question)
    result = document(comparison, question, _statement(client, question, comparison))
    return query_pb2.CompareResponse(document=json.dumps(result, allow_nan=False).encode())


def _sides(selection: Selection, request: query_pb2.CompareRequest) -> tuple[Side, Side]:
    start, end = selection.since_ns, selection.until_ns
    if request.variant_a or request.variant_b:
        a, b = request.variant_a, request.variant_b
        return Side(shown(a), start, end, variant=a), Side(shown(b), start, end, variant=b)
    if request.version_a or request.version_b:
        a, b = request.version_a, request.version_b
        return Side(shown(a), start, end, version=a), Side(shown(b), start, end, version=b)
    if request.before_to_unix_ns and request.after_to_unix_ns:
        before = Side("before", request.before_from_unix_ns, request.before_to_unix_ns)
        return before, Side("after", request.after_from_unix_ns, request.after_to_unix_ns)
    raise UsageError("name the arms: two variants, two versions, or two ranges of time")


def _statement(client: Client, question: Question, comparison: Comparison) -> Statement | None:
    """The newest plan's promise for the old function against the measured speedup; None where either is missing."""
    stored = plans.newest(client, plans.ALL)
    if stored is None or comparison.speedup is None or not question.function_a:
        return None
    promised = _promise(json.loads(stored.document), question)
    return None if promised is None else holds(promised, comparison.speedup)


def _promise(plan: dict[str, Any], question: Question) -> Quantiles | None:
    for candidate in plan["candidates"]:
        for unit in candidate["functions"]:
            if unit["service"] == question.service and unit["function"] == question.function_a:
                return Quantiles(**unit["speedup"])
    return None
