"""What is proposed for a unit, before it is valued."""

from dataclasses import dataclass

from pivotscope_collector.scoring.alternative import Option, best_option
from pivotscope_collector.scoring.bridge import bridge
from pivotscope_collector.scoring.candidate import Bridge
from pivotscope_collector.scoring.classify import Classification, classify
from pivotscope_collector.scoring.effort import Effort, effort
from pivotscope_collector.scoring.units import Unit


@dataclass(frozen=True, slots=True)
class Proposal:
    """A unit, its class of work, the bridge it would cross, what it would cost, and the alternative to it."""

    unit: Unit
    work: Classification
    bridge: Bridge
    effort: Effort
    option: Option


def propose(unit: Unit) -> Proposal:
    """Classify a unit and choose its bridge and its alternative."""
    native = unit.root.native if unit.root.native_known else 0.0
    work = classify(unit.parts, unit.service.facts, native)
    return Proposal(unit, work, bridge(unit), effort(unit), best_option(unit.service.language, work.work))
