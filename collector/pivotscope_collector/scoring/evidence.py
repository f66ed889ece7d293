"""What is known about a codebase before anything is scored: the one input of the ranking.

The collector fills it from the store, `analysis` from profile files; the ranking cannot tell them apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.function import Function
from pivotscope.profile.language import Language

from pivotscope_collector.estimates.share import Share


@dataclass(frozen=True, slots=True)
class FunctionEvidence:
    """What was seen of one function over the observed time.

    `self_share` and `total_share` are shares of the service's CPU (recursion once). `beneath` is where
    the function's total share goes: the self share of each function in the stacks below it (itself
    included), native time left out; it sums to total_share.estimate × (1 − native). `native` is the part of
    its total that was native or outside the interpreter lock, 0 to 1; `native_known` is False where nothing could tell.
    `calls` are calls a second over the service, None where unknown (samples cannot see them).
    """

    function: Function
    self_share: Share
    total_share: Share
    native: float
    native_known: bool
    beneath: Mapping[Function, float]
    facts: FunctionFacts | None = None
    calls: float | None = None
    callers: tuple[Function, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceEvidence:
    """A service in one language, over the observed time.

    `core_hours_per_year` is its measured CPU, extrapolated from `observed_seconds`; None where no CPU was measured
    (a cProfile file), and then money cannot be told. `unattributed` is the part of CPU that no window covered.
    """

    service: str
    codebase: str
    language: Language
    core_hours_per_year: float | None
    observed_seconds: float
    unattributed: float
    functions: tuple[FunctionEvidence, ...]
    facts: Mapping[Function, FunctionFacts]


@dataclass(frozen=True, slots=True)
class CodebaseEvidence:
    """How large a codebase is. `total_files` counts its source files in the languages sampled."""

    codebase: str
    total_files: int
    total_lines: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a plan is computed from. Times are unix nanoseconds."""

    services: tuple[ServiceEvidence, ...]
    codebases: tuple[CodebaseEvidence, ...]
    since_ns: int
    until_ns: int
    source: str
