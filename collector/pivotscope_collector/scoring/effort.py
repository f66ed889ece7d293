"""Engineer-weeks of moving a unit: lognormal, reasoned from its size and shape.

A unit costs a fixed part (bridge, build, packaging, parity cases, roll-out), a part for each function (its contract
and its cases), a part for its lines at the rate of finished and tested ported code, raised by branching, and a part
for each library function that it leans on. Overruns are skewed: about two thirds of an estimate's spread lies above it
(Jørgensen, "A review of studies on expert estimation of software development effort", 2004), hence lognormal.
"""

from dataclasses import dataclass
from math import hypot, log

from pivotscope_collector.scoring.units import Unit, facts_of

FIXED_WEEKS = 0.8
FUNCTION_WEEKS = 0.2
LIBRARY_WEEKS = 0.1
LINES_A_WEEK = 120.0
UNKNOWN_LINES = 40
UNKNOWN_COMPLEXITY = 8
SPREAD = 0.45
UNKNOWN_SPREAD = 0.5


@dataclass(frozen=True, slots=True)
class Effort:
    """ln weeks ~ Normal(mu, sigma)."""

    mu: float
    sigma: float


def effort(unit: Unit) -> Effort:
    """Weeks of one engineer for a unit. Unknown source counts as 40 lines and widens the spread, as branching does."""
    weeks = FIXED_WEEKS + LIBRARY_WEEKS * unit.libraries
    unknown, branches = 0, 0.0
    functions = unit.functions
    for function in functions:
        facts = facts_of(unit.service, function)
        lines = facts.lines if facts else UNKNOWN_LINES
        complexity = facts.complexity if facts else UNKNOWN_COMPLEXITY
        unknown += facts is None
        branches = max(branches, complexity)
        weeks += FUNCTION_WEEKS * (function != unit.root.function)
        weeks += lines / LINES_A_WEEK * (1.0 + complexity / 20.0)
    sigma = hypot(SPREAD, UNKNOWN_SPREAD * unknown / len(functions), 0.2 * log(1.0 + branches / 10.0))
    return Effort(log(weeks), sigma)
