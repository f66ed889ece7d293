"""From evidence and ranked candidates to a plan: the one entry of this room.

files      units gathered by file, best first
waves      overlap settled, each file in one wave
journey    the four stages, in weeks
checks     best practices and their state
document   all of it as plain values, hashed and validated
"""

from collections.abc import Sequence
from dataclasses import asdict, fields

from pivotscope_collector.planning.checks import checks
from pivotscope_collector.planning.document import Document, Plan, document
from pivotscope_collector.planning.files import by_file
from pivotscope_collector.planning.journey import journey
from pivotscope_collector.planning.schema import validate
from pivotscope_collector.planning.team import Team
from pivotscope_collector.planning.waves import waves
from pivotscope_collector.scoring.candidate import Candidate
from pivotscope_collector.scoring.evidence import Evidence
from pivotscope_collector.scoring.settings import ScoringSettings


def build(
    evidence: Evidence,
    candidates: Sequence[Candidate],
    settings: ScoringSettings,
    now_ns: int,
    team: Team | None = None,
) -> Document:
    """The plan for these candidates, validated against its schema. The same input gives the same bytes.

    `settings` is what the candidates were scored with; it stands in the document, with the team, as assumptions.
    """
    team = team if team is not None else Team()
    planned = waves(by_file(candidates), evidence, team)
    result = document(
        Plan(evidence, planned, journey(planned, evidence, team), checks(planned, team), _assumptions(settings, team)),
        now_ns,
    )
    validate(result)
    return result


def _assumptions(settings: ScoringSettings, team: Team) -> dict[str, float | str | None]:
    values = {entry.name: getattr(settings, entry.name) for entry in fields(settings)} | asdict(team)
    return {name: value for name, value in values.items() if value is None or isinstance(value, str | int | float)}
