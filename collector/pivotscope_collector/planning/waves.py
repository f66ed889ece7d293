"""Files into waves: what to do first, what next, and what to leave alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from pivotscope_collector.planning.files import FileCandidate
from pivotscope_collector.planning.overlap import Portion, Union
from pivotscope_collector.planning.team import Team
from pivotscope_collector.scoring.candidate import Candidate, Crossing, Quantiles, Verdict
from pivotscope_collector.scoring.evidence import Evidence

COVERED_BELOW = 0.2
"""A file that adds less than this part of its own saving to the files before it is mostly covered by them."""

RISKY_SPREAD = 5.0
"""P90 ÷ P10 of effort beyond which a file's cost is too uncertain for an early wave."""


class Kind(Enum):
    """What a wave is made of, in the order of the waves. The value is its name and why a file is in it."""

    FIRST = ("Low-hanging fruit", "the best value for the least risk: begin with these one to three functions")
    NEXT = ("High value", "worth it, with a crossing that is cheap enough and an effort that is known well enough")
    RISKY = ("Higher risk", "worth it, but the crossing is dear or the effort uncertain: prototype before committing")
    ALTERNATIVE = ("Cheaper without a rewrite", "an alternative brings more for the same effort: take that first")
    UNKNOWN = ("Measure first", "too little is known to promise anything: watch longer, then decide")
    COVERED = ("Covered by earlier waves", "most of what these would save is saved by then: measure again, then decide")
    LEFT = ("Not worth it today", "at today's load and prices the work costs more than it brings")

    @property
    def title(self) -> str:
        """The wave's name."""
        return self.value[0]

    @property
    def reason(self) -> str:
        """Why a file is in it."""
        return self.value[1]

    @property
    def recommended(self) -> bool:
        """Whether the plan says to move these files."""
        return self in {Kind.FIRST, Kind.NEXT, Kind.RISKY}


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file with what its planned units add to everything before them."""

    file: FileCandidate
    portions: tuple[Portion, ...]

    @property
    def adds(self) -> float:
        """The part of the best unit's saving that is not saved before."""
        return self.portions[0].saving

    @property
    def effort(self) -> Quantiles:
        """Engineer weeks: of the alternative where that is the advice, else of what is not written yet."""
        if self.file.best.verdict is Verdict.USE_ALTERNATIVE:
            return self.file.best.alternative.effort_weeks
        return total(_scaled(portion.unit.effort_weeks, portion.effort) for portion in self.portions)


@dataclass(frozen=True, slots=True)
class Wave:
    """Files to be done together. `weeks` is calendar time of the team, `effort` engineer weeks."""

    number: int
    kind: Kind
    files: tuple[PlannedFile, ...]
    weeks: float

    @property
    def effort(self) -> Quantiles:
        """Engineer weeks of all its files."""
        return total(entry.effort for entry in self.files)


def waves(files: Sequence[FileCandidate], evidence: Evidence, team: Team) -> tuple[Wave, ...]:
    """Each file in exactly one wave; waves without files are left out and numbers have no holes.

    Overlap is settled in the order in which the work is done: worth-it files by score first.
    """
    union = Union(evidence)
    sorted_in: dict[Kind, list[PlannedFile]] = {kind: [] for kind in Kind}
    first_units = 0
    for file in sorted(files, key=lambda entry: _order(entry.best)):
        planned = PlannedFile(file, tuple(union.add(unit) for unit in file.planned))
        kind = _kind(planned, first_units + len(file.planned) <= team.first_functions)
        first_units += len(file.planned) if kind is Kind.FIRST else 0
        sorted_in[kind].append(planned)
    filled = [(kind, tuple(entries)) for kind, entries in sorted_in.items() if entries]
    return tuple(
        Wave(number, kind, entries, team.calendar_weeks(tuple(entry.effort.p50 for entry in entries)))
        for number, (kind, entries) in enumerate(filled, start=1)
    )


def total(parts: Iterable[Quantiles]) -> Quantiles:
    """A sum whose bounds are as wide as if all errors went the same way: cautious, since one model made them all."""
    low = middle = high = 0.0
    for part in parts:
        low, middle, high = low + part.p10, middle + part.p50, high + part.p90
    return Quantiles(low, middle, high)


def _order(unit: Candidate) -> tuple[bool, float]:
    """Files that are worth it come first, so that no doubtful one takes a saving away from them."""
    return (unit.verdict is not Verdict.WORTH_IT, -unit.score)


def _kind(planned: PlannedFile, fits_first: bool) -> Kind:  # noqa: FBT001 - one private caller, next to it
    best = planned.file.best
    if best.verdict is Verdict.INSUFFICIENT_DATA:
        return Kind.UNKNOWN
    if best.verdict is Verdict.USE_ALTERNATIVE:
        return Kind.ALTERNATIVE
    if best.verdict is Verdict.NOT_WORTH_IT:
        return Kind.LEFT
    if planned.adds < COVERED_BELOW:
        return Kind.COVERED
    if _risky(best):
        return Kind.RISKY
    return Kind.FIRST if fits_first else Kind.NEXT


def _risky(unit: Candidate) -> bool:
    return unit.bridge.crossing is Crossing.RED or unit.effort_weeks.p90 > RISKY_SPREAD * unit.effort_weeks.p10


def _scaled(quantiles: Quantiles, factor: float) -> Quantiles:
    return Quantiles(quantiles.p10 * factor, quantiles.p50 * factor, quantiles.p90 * factor)
