"""A candidate: one unit of code that could move, and what moving it would bring."""

from dataclasses import dataclass
from enum import StrEnum

from pivotscope.profile.function import Function
from pivotscope.profile.language import Language

from pivotscope_collector.estimates.share import Interval


class Verdict(StrEnum):
    """What to do with a candidate."""

    WORTH_IT = "worth it"
    NOT_WORTH_IT = "not worth it"
    USE_ALTERNATIVE = "use the alternative"
    INSUFFICIENT_DATA = "insufficient data"


class Crossing(StrEnum):
    """How the cost of the boundary relates to the work done a call."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Quantiles:
    """P10, P50 and P90 of a quantity."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class Bridge:
    """How calls would cross: the bridge, its measured cost a call in nanoseconds, and the judgement."""

    name: str
    pattern: str
    reason: str
    call_ns: Quantiles
    crossing: Crossing


@dataclass(frozen=True, slots=True)
class Alternative:
    """The best thing to do without a rewrite, with its own speedup of the same code."""

    name: str
    speedup: Quantiles
    effort_weeks: Quantiles
    reason: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit: a root function and what it calls within the codebase. It belongs to its root's file.

    Shares are of the service's CPU. `speedup` is the unit's own S; `service_speedup` is what Amdahl leaves of it.
    `saved_core_hours` are a year, `value` is dollars a year ÷ weeks of one engineer; None where core-hours are unknown.
    """

    service: str
    codebase: str
    language: Language
    root: Function
    functions: tuple[Function, ...]
    share: Interval
    movable: Quantiles
    native: float
    work_class: str
    class_reason: str
    speedup: Quantiles
    service_speedup: Quantiles
    saved_core_hours: Quantiles | None
    saved_dollars: Quantiles | None
    effort_weeks: Quantiles
    value: Quantiles | None
    score: float
    score_low: float
    score_high: float
    payback_under_year: float | None
    in_top: float
    driver: str
    bridge: Bridge
    alternative: Alternative
    verdict: Verdict
    reason: str
    other_bridges: tuple[Bridge, ...] = ()
