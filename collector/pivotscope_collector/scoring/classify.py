"""Which class of work a unit does, from facts of its source: explainable rules, in order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.function import Function

from pivotscope_collector.scoring.priors import PRIORS, WorkClass

Weights = Mapping[WorkClass, float]

MOSTLY_NATIVE = 0.5
"""From this native part on, a unit's time is in native libraries already."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What a unit's time is spent on, the heaviest class, and why.

    `groups` are parts of its movable CPU (they sum to 1), each with weights over the classes that it may be of.
    """

    groups: tuple[tuple[float, Weights], ...]
    work: WorkClass
    reason: str


@dataclass(frozen=True, slots=True)
class Rule:
    """If `holds`, a function's work is a mixture of classes, because of `reason`."""

    holds: Callable[[FunctionFacts], bool]
    weights: Weights
    reason: str


A, B, C, D, E = (
    WorkClass.NUMERIC,
    WorkClass.STREAMING,
    WorkClass.PARSING,
    WorkClass.OBJECTS,
    WorkClass.REMODELLED,
)

UNKNOWN: Weights = {A: 0.1, B: 0.2, C: 0.15, D: 0.35, E: 0.2}
PARSER_WORDS = ("parse", "token", "lex", "scan", "decode", "deserial", "unescape", "match")


def _numeric(facts: FunctionFacts) -> bool:
    plain = facts.strings == 0 and facts.keyed == 0 and facts.attributes <= 1 and facts.awaits == 0
    nested = facts.loop_depth >= 2 and facts.arithmetic >= 2
    dense = facts.loops >= 1 and facts.arithmetic >= 3 and facts.subscripts <= facts.arithmetic and facts.calls <= 1
    return plain and (nested or dense) and facts.calls <= facts.arithmetic + facts.loops


def _numeric_helper(facts: FunctionFacts) -> bool:
    return facts.loops == 0 and facts.arithmetic >= 2 and facts.attributes == 0 and facts.strings == 0


def _parser(facts: FunctionFacts) -> bool:
    name = facts.qualified_name.rpartition(".")[2].lower()
    named = any(word in name for word in PARSER_WORDS)
    branching = facts.complexity >= 6 and facts.strings >= 3 and facts.calls >= 3 and facts.subscripts >= 1
    return facts.loops >= 1 and facts.strings >= 1 and (named or branching)


def _records(facts: FunctionFacts) -> bool:
    by_key = facts.keyed >= 1 or (facts.subscripts >= 1 and facts.attributes >= 1)
    by_attribute = facts.attributes > facts.calls
    return facts.loops >= 1 and (by_key or by_attribute)


def _graph(facts: FunctionFacts) -> bool:
    objects = facts.attributes >= 4 and facts.attributes >= facts.calls
    return facts.loops >= 1 and objects and facts.strings == 0


def _streaming(facts: FunctionFacts) -> bool:
    return facts.loops >= 1 and facts.attributes <= 2 and facts.loop_depth <= 1


RULES: tuple[Rule, ...] = (
    Rule(_numeric, {A: 0.7, B: 0.3}, "loops that do arithmetic on plain numbers"),
    Rule(_parser, {C: 0.7, D: 0.3}, "a loop that decides over pieces of text"),
    Rule(_graph, {E: 0.5, D: 0.5}, "a loop that walks and changes objects through their attributes"),
    Rule(_records, {D: 0.7, B: 0.2, E: 0.1}, "a loop that reads fields of objects by name or key"),
    Rule(_streaming, {B: 0.7, D: 0.2, A: 0.1}, "one loop with constant work an item"),
    Rule(lambda facts: facts.loops >= 1, {D: 0.5, E: 0.3, B: 0.2}, "nested loops over objects"),
    Rule(_numeric_helper, {A: 0.15, B: 0.45, D: 0.4}, "arithmetic without a loop of its own"),
    Rule(lambda _: True, {D: 0.8, B: 0.2}, "code that directs other calls, without a loop"),
)


def classify_function(facts: FunctionFacts | None) -> tuple[Weights, str]:
    """Weights over classes for one function, and the rule that gave them; unknown facts give a wide mixture."""
    if facts is None:
        return UNKNOWN, "its source could not be read, so every class is possible"
    rule = next(rule for rule in RULES if rule.holds(facts))
    return rule.weights, rule.reason


def classify(
    parts: Sequence[tuple[Function, float]], facts: Mapping[Function, FunctionFacts], native: float
) -> Classification:
    """The class of a unit: the heaviest of its functions' mixtures, weighted by where its movable CPU is spent.

    `parts` are functions with their self share beneath the root, largest first; `native` is the native part of the
    unit.
    """
    if native >= MOSTLY_NATIVE:
        reason = f"{native:.0%} of its time is in native code already"
        return Classification(((1.0, {WorkClass.NATIVE: 1.0}),), WorkClass.NATIVE, reason)
    whole = sum(share for _, share in parts)
    groups: dict[str, tuple[float, Weights]] = {}
    for function, share in parts:
        weights, reason = classify_function(facts.get(function))
        groups[reason] = groups.get(reason, (0.0, weights))[0] + share / whole, weights
    totals = {work: sum(part * weights.get(work, 0.0) for part, weights in groups.values()) for work in WorkClass}
    heaviest = max(totals, key=lambda work: (totals[work], work))
    function, share = parts[0]
    where = f"{share / whole:.0%} of its movable CPU is in {function.qualified_name}: " if len(parts) > 1 else ""
    reason = f"{where}{classify_function(facts.get(function))[1]} ({PRIORS[heaviest].meaning})"
    return Classification(tuple(groups.values()), heaviest, reason)
