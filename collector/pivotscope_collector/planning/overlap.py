"""Call trees that overlap are united before anything is summed.

Moving a function moves what it calls with it. Where two units share functions, the second one saves only what the
first has not saved already, and costs only the code that has not been rewritten already.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pivotscope.profile.function import Function
from pivotscope.profile.language import Language

from pivotscope_collector.scoring.candidate import Candidate
from pivotscope_collector.scoring.evidence import Evidence, FunctionEvidence, ServiceEvidence


@dataclass(frozen=True, slots=True)
class Portion:
    """What a unit adds to the units before it, as fractions of its own saving and of its own effort."""

    unit: Candidate
    saving: float
    effort: float


_Key = tuple[str, str, Language]
"""Service, codebase and language: whose CPU it is."""


class Union:
    """Units taken so far. `add` says what the next one brings beyond them."""

    def __init__(self, evidence: Evidence) -> None:
        self._services = {(entry.service, entry.codebase, entry.language): entry for entry in evidence.services}
        self._seen = {
            key: {entry.function: entry for entry in service.functions} for key, service in self._services.items()
        }
        self._taken: dict[_Key, list[tuple[Candidate, Mapping[Function, float]]]] = defaultdict(list)
        self._written: set[Function] = set()

    def add(self, unit: Candidate) -> Portion:
        """Take a unit in."""
        key = (unit.service, unit.codebase, unit.language)
        portion = Portion(unit, self._new_saving(key, unit), self._new_effort(key, unit))
        self._written.update(unit.functions)
        return portion

    def _new_saving(self, key: _Key, unit: Candidate) -> float:
        """The part of the unit's CPU that no earlier unit of the same service holds.

        Below nested roots the stacks are the same, so what the other took is taken. Below roots that do not call each
        other the stacks are different ones; together they cannot exceed a function's own share.
        """
        seen = self._seen.get(key, {})
        amounts = _amounts(unit, seen.get(unit.root))
        earlier = self._taken[key]
        fresh: dict[Function, float] = {}
        for function, amount in amounts.items():
            nested = max((taken.get(function, 0.0) for other, taken in earlier if _nested(other, unit)), default=0.0)
            room = seen[function].self_share.estimate if function in seen else amount
            held = sum(taken.get(function, 0.0) for other, taken in earlier if not _nested(other, unit))
            fresh[function] = max(0.0, min(amount - nested, room - held))
        earlier.append((unit, amounts))
        total = sum(amounts.values())
        if total > 0.0:
            return sum(fresh.values()) / total
        return 0.0 if any(_nested(other, unit) for other, _ in earlier[:-1]) else 1.0

    def _new_effort(self, key: _Key, unit: Candidate) -> float:
        """The part of the unit's lines that no earlier unit has rewritten; of its functions where lines are unknown."""
        service = self._services.get(key)
        sizes = {function: _lines(service, function) for function in {unit.root, *unit.functions}}
        return sum(size for function, size in sizes.items() if function not in self._written) / sum(sizes.values())


def unite(units: Iterable[Candidate], evidence: Evidence) -> tuple[Portion, ...]:
    """What each unit adds to those before it, in their order."""
    union = Union(evidence)
    return tuple(union.add(unit) for unit in units)


def _amounts(unit: Candidate, root: FunctionEvidence | None) -> dict[Function, float]:
    if root is None:
        return {}
    inside = {unit.root, *unit.functions}
    return {function: amount for function, amount in root.beneath.items() if function in inside and amount > 0.0}


def _nested(one: Candidate, other: Candidate) -> bool:
    return one.root in other.functions or other.root in one.functions or one.root == other.root


def _lines(service: ServiceEvidence | None, function: Function) -> float:
    facts = service.facts.get(function) if service is not None else None
    return float(max(1, facts.lines)) if facts is not None else 1.0
