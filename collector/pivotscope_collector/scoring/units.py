"""Units: a root function of the application, and what it calls within its codebase."""

from collections.abc import Iterator
from dataclasses import dataclass

from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.function import Function, Owner

from pivotscope_collector.scoring.classify import MOSTLY_NATIVE
from pivotscope_collector.scoring.evidence import FunctionEvidence, ServiceEvidence

NEGLIGIBLE = 0.01
"""Callees below this part of a unit's movable CPU need not move with it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A root and the application's functions beneath it.

    `parts` are those functions with their self share of the service's CPU beneath the root, largest first. `movable` is
    what they have together ÷ the root's total share: library and native time stays where it is. `libraries` is how many
    functions of libraries ran beneath it: each is something that native code must call back or do without.
    """

    service: ServiceEvidence
    root: FunctionEvidence
    parts: tuple[tuple[Function, float], ...]
    movable: float
    libraries: int

    @property
    def functions(self) -> tuple[Function, ...]:
        """The root and the callees that move with it, root first."""
        root = self.root.function
        return root, *(function for function, _ in self.parts if function != root)

    @property
    def facts(self) -> FunctionFacts | None:
        """Facts of the root's source."""
        return facts_of(self.service, self.root.function)


def units(service: ServiceEvidence, minimum_share: float) -> Iterator[Unit]:
    """Every unit of a service whose root is the application's own and uses at least `minimum_share` of its CPU.

    A root whose time is mostly in native code already is no unit: there is nothing to move.
    """
    for evidence in service.functions:
        own = evidence.function.owner is Owner.APPLICATION and evidence.function.codebase == service.codebase
        mostly_native = evidence.native_known and evidence.native >= MOSTLY_NATIVE
        if own and not mostly_native and evidence.total_share.estimate >= max(minimum_share, 1e-9):
            unit = _unit(service, evidence)
            if unit is not None:
                yield unit


def facts_of(service: ServiceEvidence, function: Function) -> FunctionFacts | None:
    """Facts of a function's source, None where it could not be read."""
    return service.facts.get(function)


def _unit(service: ServiceEvidence, evidence: FunctionEvidence) -> Unit | None:
    mine = [
        (function, share)
        for function, share in evidence.beneath.items()
        if share > 0.0 and function.owner is Owner.APPLICATION and function.codebase == service.codebase
    ]
    whole = sum(share for _, share in mine)
    if whole <= 0.0:
        return None
    kept = [(function, share) for function, share in mine if share >= NEGLIGIBLE * whole]
    kept.sort(key=lambda part: (-part[1], part[0].path, part[0].qualified_name))
    libraries = sum(
        1
        for function, share in evidence.beneath.items()
        if function.owner is not Owner.APPLICATION and share >= NEGLIGIBLE * whole
    )
    movable = min(1.0, sum(share for _, share in kept) / evidence.total_share.estimate)
    return Unit(service, evidence, tuple(kept), movable, libraries)
