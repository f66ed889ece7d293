"""Hand-made evidence and candidates: two services, three files, call trees that overlap."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.function import Function
from pivotscope.profile.language import Language
from pivotscope_collector.estimates.share import Interval, Share
from pivotscope_collector.scoring.candidate import Alternative, Bridge, Candidate, Crossing, Quantiles, Verdict
from pivotscope_collector.scoring.evidence import CodebaseEvidence, Evidence, FunctionEvidence, ServiceEvidence

WEEK_NS = 7 * 86_400 * 1_000_000_000


def function(path: str, name: str, codebase: str = "shop") -> Function:
    return Function(codebase, Language.PYTHON, path, name)


HANDLE = function("app.py", "handle")
AGGREGATE = function("core/sales_aggregator.py", "aggregate")
COMMISSION = function("core/sales_aggregator.py", "calculate_commission")
PARSE = function("core/parse.py", "parse")


def share(estimate: float) -> Share:
    return Share(estimate, estimate * 0.9, min(1.0, estimate * 1.1), 0.1, 40)


def seen(entry: Function, own: float, beneath: dict[Function, float]) -> FunctionEvidence:
    return FunctionEvidence(entry, share(own), share(sum(beneath.values())), 0.0, native_known=True, beneath=beneath)


@pytest.fixture
def evidence() -> Evidence:
    """`handle` calls `aggregate`, which calls `calculate_commission`; `parse` stands apart."""
    functions = (
        seen(HANDLE, 0.1, {HANDLE: 0.1, AGGREGATE: 0.1, COMMISSION: 0.4}),
        seen(AGGREGATE, 0.1, {AGGREGATE: 0.1, COMMISSION: 0.4}),
        seen(COMMISSION, 0.5, {COMMISSION: 0.5}),
        seen(PARSE, 0.2, {PARSE: 0.2}),
    )
    facts = {
        HANDLE: FunctionFacts("handle", 1, 10),
        AGGREGATE: FunctionFacts("aggregate", 1, 30),
        COMMISSION: FunctionFacts("calculate_commission", 31, 40),
        PARSE: FunctionFacts("parse", 1, 50),
    }
    service = ServiceEvidence("web", "shop", Language.PYTHON, 80_000.0, 7 * 86_400.0, 0.02, functions, facts)
    return Evidence((service,), (CodebaseEvidence("shop", 156, 40_000),), 0, WEEK_NS, "test")


@pytest.fixture
def candidate() -> Callable[..., Candidate]:
    """A candidate that is worth it; anything can be said otherwise."""

    def make(root: Function, score: float, **changes: object) -> Candidate:
        made = Candidate(
            service="web",
            codebase=root.codebase,
            language=root.language,
            root=root,
            functions=(root,),
            share=Interval(0.5, 0.45, 0.55),
            movable=Quantiles(0.8, 0.9, 0.95),
            native=0.05,
            work_class="D",
            class_reason="objects stay objects",
            speedup=Quantiles(3.0, 12.5, 40.0),
            service_speedup=Quantiles(1.2, 1.8, 2.0),
            saved_core_hours=Quantiles(10_000.0, 20_000.0, 30_000.0),
            saved_dollars=Quantiles(500.0, 1000.0, 1500.0),
            effort_weeks=Quantiles(1.0, 2.0, 4.0),
            value=Quantiles(250.0, 500.0, 750.0),
            score=score,
            score_low=max(0.0, score - 10.0),
            score_high=min(100.0, score + 5.0),
            payback_under_year=0.9,
            in_top=0.8,
            driver="speedup",
            bridge=Bridge("PyO3", "function", "one call a request", Quantiles(30.0, 45.0, 60.0), Crossing.GREEN),
            alternative=Alternative("mypyc", Quantiles(1.5, 2.0, 4.0), Quantiles(0.2, 0.5, 1.0), "typed code"),
            verdict=Verdict.WORTH_IT,
            reason="pays back in 5 months",
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def candidates(candidate: Callable[..., Candidate]) -> tuple[Candidate, ...]:
    """Four units in three files; `handle` contains both of the others' work."""
    return (
        candidate(COMMISSION, 92.34),
        candidate(PARSE, 70.0),
        candidate(AGGREGATE, 60.0, functions=(AGGREGATE, COMMISSION)),
        candidate(HANDLE, 55.0, functions=(HANDLE, AGGREGATE, COMMISSION)),
    )
