"""Which bridge a unit's calls would cross, and how its cost relates to the work done a call."""

from dataclasses import dataclass

from pivotscope.profile.language import Language

from pivotscope_collector.scoring.boundary import MAGNUS, PYO3, RUBY_C, SERVICE_CALL, judge
from pivotscope_collector.scoring.candidate import Bridge, Quantiles
from pivotscope_collector.scoring.evidence import ServiceEvidence
from pivotscope_collector.scoring.pattern import FUNCTION, SERVICE, pattern
from pivotscope_collector.scoring.units import Unit, facts_of

HOURS_A_YEAR = 8760.0


@dataclass(frozen=True, slots=True)
class WorkPerCall:
    """ln of the nanoseconds of movable work a call ~ Normal(mu, sigma), where calls cannot be seen."""

    mu: float
    sigma: float


LOOPING = WorkPerCall(10.8, 2.0)
DIRECTING = WorkPerCall(8.0, 1.8)
INSIDE_A_LOOP = WorkPerCall(6.5, 1.2)
UNREAD = WorkPerCall(9.2, 2.3)
"""Reasoned medians a call: 50 µs with a loop, 3 µs without, 0.7 µs where called from a loop, 10 µs unread."""


def cores(service: ServiceEvidence) -> float:
    """CPU-seconds that a service uses a second. A profile without measured CPU is of one core."""
    return service.core_hours_per_year / HOURS_A_YEAR if service.core_hours_per_year is not None else 1.0


def own_ns(unit: Unit) -> float | None:
    """Nanoseconds of movable work that one call of the root does; None where calls are unknown."""
    calls = unit.root.calls
    if calls is None or calls <= 0.0:
        return None
    return unit.root.total_share.estimate * unit.movable * cores(unit.service) / calls * 1e9


def guess_of_work(unit: Unit) -> WorkPerCall:
    """What a call does where nobody counted calls, from the shape of the root and of its callers."""
    facts = unit.facts
    if facts is None:
        return UNREAD
    if facts.loops:
        return LOOPING
    callers = [facts_of(unit.service, caller) for caller in unit.root.callers]
    if callers and all(caller is not None and caller.loops for caller in callers):
        return INSIDE_A_LOOP
    return DIRECTING


def bridge(unit: Unit) -> Bridge:
    """The advised bridge with its cost a call; its crossing is unknown where calls are."""
    work = own_ns(unit)
    level, why = pattern(unit, enough_for_a_service=work is not None and work >= 10.0 * SERVICE_CALL.p50)
    if level == SERVICE:
        return _bridge("a service of its own, called over gRPC", level, why, SERVICE_CALL, work)
    if unit.service.language is Language.PYTHON:
        return _bridge(PYO3.name, level, f"{why}; PyO3 reads Python's objects in place", PYO3.call_ns, work)
    costs = RUBY_C if level == FUNCTION else MAGNUS
    reads = (
        "reads Ruby's objects in place, without a toolchain beside Ruby's own"
        if costs is RUBY_C
        else "is Rust's safety"
    )
    return _bridge(costs.name, level, f"{why}; {costs.name} {reads}", costs.call_ns, work)


def _bridge(name: str, level: str, reason: str, call: Quantiles, work: float | None) -> Bridge:
    return Bridge(name, level, reason, call, judge(work, call.p50))
