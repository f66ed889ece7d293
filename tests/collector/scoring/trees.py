"""Hand-made evidence: functions with facts, and call trees from which shares follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.function import Function, Owner
from pivotscope.profile.language import Language
from pivotscope_collector.estimates.share import Share, share_from_interval
from pivotscope_collector.scoring.evidence import CodebaseEvidence, Evidence, FunctionEvidence, ServiceEvidence

Stacks = Mapping[tuple[str, ...], float]


@dataclass
class Tree:
    """Stacks (root first, names) with their self share; facts by name; names with "lib:" belong to libraries."""

    stacks: Stacks
    facts: Mapping[str, FunctionFacts] = field(default_factory=dict)
    native: Mapping[str, float] = field(default_factory=dict)
    calls: Mapping[str, float] = field(default_factory=dict)
    callers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    language: Language = Language.PYTHON
    clusters: int = 40
    core_hours: float | None = 100_000.0
    spread: float = 0.05
    service: str = "shop"

    def function(self, name: str) -> Function:
        if name.startswith("lib:"):
            return Function("library", self.language, "library.py", name[4:], Owner.LIBRARY)
        path = self.paths.get(name, f"app/{name}.py")
        return Function("shop", self.language, path, name)

    def evidence(self) -> ServiceEvidence:
        names = dict.fromkeys(name for stack in self.stacks for name in stack)
        functions = []
        for name in names:
            below = {stack: part for stack, part in self.stacks.items() if name in stack}
            native = self.native.get(name, 0.0)
            beneath: dict[Function, float] = {}
            for stack, part in below.items():
                leaf = self.function(stack[-1])
                beneath[leaf] = beneath.get(leaf, 0.0) + part * (1.0 - native)
            functions.append(
                FunctionEvidence(
                    function=self.function(name),
                    self_share=self._share(sum(part for stack, part in self.stacks.items() if stack[-1] == name)),
                    total_share=self._share(sum(below.values())),
                    native=native,
                    native_known=True,
                    beneath=beneath,
                    facts=self.facts.get(name),
                    calls=self.calls.get(name),
                    callers=tuple(self.function(caller) for caller in self.callers.get(name, ())),
                )
            )
        facts = {self.function(name): value for name, value in self.facts.items()}
        return ServiceEvidence(
            self.service, "shop", self.language, self.core_hours, 3600.0, 0.01, tuple(functions), facts
        )

    def _share(self, part: float) -> Share:
        made = share_from_interval(part, max(0.0, part - 0.01), min(1.0, part + 0.01), self.clusters)
        return Share(made.estimate, made.low, made.high, self.spread, self.clusters)


def evidence_of(*trees: Tree) -> Evidence:
    """Evidence of services."""
    services = tuple(tree.evidence() for tree in trees)
    return Evidence(services, (CodebaseEvidence("shop", 12, 4000),), 0, 3600 * 10**9, "test")


SHOP_FACTS = {
    "calculate_commission": FunctionFacts(
        "calculate_commission",
        10,
        22,
        complexity=5,
        loops=2,
        loop_depth=2,
        parameters=1,
        subscripts=4,
        keyed=3,
        arithmetic=4,
        strings=3,
    ),
    "totals_by_category": FunctionFacts(
        "totals_by_category",
        25,
        32,
        complexity=3,
        loops=1,
        loop_depth=1,
        parameters=1,
        calls=1,
        attributes=1,
        subscripts=4,
        keyed=3,
        arithmetic=1,
        strings=3,
    ),
    "build_report": FunctionFacts("build_report", 11, 19, parameters=3, calls=4, attributes=2, subscripts=2, strings=5),
    "commission_of": FunctionFacts(
        "commission_of", 50, 59, complexity=3, parameters=2, calls=6, attributes=7, strings=2
    ),
    "record": FunctionFacts(
        "record", 62, 73, complexity=5, parameters=3, calls=18, attributes=19, arithmetic=6, strings=3
    ),
    "sales_report": FunctionFacts(
        "sales_report", 22, 32, complexity=3, parameters=1, calls=11, attributes=8, strings=5
    ),
    "<module>": FunctionFacts("<module>", 1, 73, calls=6, attributes=5, strings=4),
}


def shop() -> Tree:
    """A web service as the demo has it: a handler, its helpers, the commission, and libraries."""
    web = ("<module>", "lib:run", "sales_report")
    return Tree(
        {
            ("lib:serve",): 0.06,
            web: 0.01,
            (*web, "commission_of", "calculate_commission"): 0.58,
            (*web, "build_report"): 0.01,
            (*web, "build_report", "totals_by_category"): 0.12,
            (*web, "lib:dumps"): 0.1,
            (*web, "record"): 0.03,
            (*web, "record", "lib:inc"): 0.05,
            (*web, "record", "lib:observe"): 0.04,
        },
        SHOP_FACTS,
    )
