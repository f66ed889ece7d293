"""The four stages of a migration, with weeks computed from the evidence and the waves."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from pivotscope_collector.planning.team import Team
from pivotscope_collector.planning.waves import Wave
from pivotscope_collector.scoring.evidence import Evidence

PROTOTYPES = 3
"""How many of the best candidates are prototyped before anything is rolled out."""

FULL_CYCLE_WEEKS = 2.0
"""Production has weekly rhythms: with two of them observed, a share is not a matter of the day it was measured on."""

_SECONDS_A_WEEK = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage from the start of `start_week` to the end of `end_week` (1-based); of no length where end < start."""

    stage: int
    name: str
    start_week: int
    weeks: int
    tasks: tuple[str, ...]
    reason: str

    @property
    def end_week(self) -> int:
        """The last week that belongs to it."""
        return self.start_week + self.weeks - 1


def journey(waves: Sequence[Wave], evidence: Evidence, team: Team) -> tuple[Stage, ...]:
    """Analysis, Prototype, Incremental rollout and Stabilisation, one after the other."""
    efforts = [
        (portion.unit.root.qualified_name, portion.unit.effort_weeks.p50 * portion.effort)
        for wave in waves
        if wave.kind.recommended
        for planned in wave.files
        for portion in planned.portions
    ]
    stages: list[Stage] = []
    start = 1
    for number, (name, weeks, tasks, reason) in enumerate(
        (
            _analysis(evidence),
            _prototype(efforts[:PROTOTYPES], team),
            _rollout(efforts, waves, team),
            _stabilisation(len(efforts), team),
        ),
        start=1,
    ):
        stages.append(Stage(number, name, start, weeks, tasks, reason))
        start += weeks
    return tuple(stages)


_Draft = tuple[str, int, tuple[str, ...], str]


def _analysis(evidence: Evidence) -> _Draft:
    observed = min((service.observed_seconds for service in evidence.services), default=0.0) / _SECONDS_A_WEEK
    weeks = max(1, ceil(FULL_CYCLE_WEEKS - observed))
    reason = (
        f"{observed:.1f} weeks observed of {FULL_CYCLE_WEEKS:.0f} that show the weekly rhythm; never less than one more"
    )
    return ("Analysis", weeks, ("profile the application", "identify hotspots", "prioritise candidates"), reason)


def _prototype(efforts: Sequence[tuple[str, float]], team: Team) -> _Draft:
    tasks = (
        f"optimise the top {len(efforts)}",
        f"agree on {team.parity_cases:,} parity cases each",
        "measure the impact",
    )
    if not efforts:
        return ("Prototype", 0, tasks[1:], "no candidate is worth a prototype at today's load and prices")
    weeks = team.calendar_weeks(tuple(effort for _, effort in efforts))
    names = ", ".join(name for name, _ in efforts)
    return ("Prototype", max(1, ceil(weeks)), tasks, f"effort of {names}, by {_people(team)}")


def _rollout(efforts: Sequence[tuple[str, float]], waves: Sequence[Wave], team: Team) -> _Draft:
    tasks = (
        "deploy one wave after the other: 10, 50, 100 % of the traffic",
        "monitor production",
        "iterate on the rest",
    )
    if not efforts:
        return ("Incremental rollout", 0, tasks, "nothing to roll out")
    rest = team.calendar_weeks(tuple(effort for _, effort in efforts[PROTOTYPES:]))
    count = sum(wave.kind.recommended for wave in waves)
    reason = (
        f"{rest:.1f} weeks of work on the remaining {max(0, len(efforts) - PROTOTYPES)}, "
        f"and {team.watch_weeks:g} weeks of watching for each of {count} wave{'s' if count > 1 else ''}"
    )
    return ("Incremental rollout", ceil(rest + team.watch_weeks * count), tasks, reason)


def _stabilisation(units: int, team: Team) -> _Draft:
    tasks = ("tune performance", "document what changed", "train the team")
    if not units:
        return ("Stabilisation", 0, tasks, "nothing was moved")
    weeks = max(1, ceil(units * team.handover_weeks / team.engineers))
    return (
        "Stabilisation",
        weeks,
        tasks,
        f"{team.handover_weeks:g} weeks for each of {units} moved, by {_people(team)}",
    )


def _people(team: Team) -> str:
    return f"{team.engineers} engineer{'s' if team.engineers > 1 else ''}"
