"""Best practices as checks with a state. What no record shows is open, never assumed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pivotscope_collector.planning.team import Team
from pivotscope_collector.planning.waves import Wave


class State(StrEnum):
    """Whether a practice is kept."""

    MET = "met"
    OPEN = "open"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Check:
    """A practice, what it asks for, and what is known about it."""

    check: str
    name: str
    requirement: str
    state: State
    detail: str


def checks(waves: Sequence[Wave], team: Team) -> tuple[Check, ...]:
    """The practices of a careful migration for these waves."""
    recommended = [wave for wave in waves if wave.kind.recommended]
    moving = [unit for wave in recommended for planned in wave.files for unit in planned.file.planned]
    state = State.OPEN if moving else State.NOT_APPLICABLE
    pending = "nothing recorded yet" if moving else "no candidate is recommended"
    return (
        _start_small(recommended, team),
        Check(
            "validate-thoroughly",
            "Validate thoroughly",
            f"old and new code agree on {team.parity_cases:,} or more cases for each unit",
            state,
            pending if not moving else f"0 of {team.parity_cases:,} recorded for each of {len(moving)}",
        ),
        Check(
            "monitor-closely",
            "Monitor closely",
            f"each wave is watched for {team.watch_weeks:g} weeks at full traffic before the next",
            state,
            pending,
        ),
        Check(
            "keep-fallback",
            "Keep the fallback",
            "the legacy code stays callable behind a kill switch, and a fall back counts as an error of the new code",
            state,
            pending,
        ),
        Check(
            "document-changes", "Document changes", "architecture and run books name what moved and why", state, pending
        ),
        Check(
            "train-team",
            "Train the team",
            "two or more people can build, debug and roll back what moved",
            state,
            pending,
        ),
    )


def _start_small(recommended: Sequence[Wave], team: Team) -> Check:
    name, requirement = "Start small", f"the first wave moves 1 to {team.first_functions} functions"
    if not recommended:
        return Check("start-small", name, requirement, State.NOT_APPLICABLE, "no candidate is recommended")
    units = sum(len(planned.file.planned) for planned in recommended[0].files)
    state = State.MET if units <= team.first_functions else State.OPEN
    return Check("start-small", name, requirement, state, f"the first wave moves {units}")
