"""Units gathered by the file they belong to: a plan moves files, not functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pivotscope.profile.language import Language

from pivotscope_collector.scoring.candidate import Candidate, Verdict


@dataclass(frozen=True, slots=True)
class FileCandidate:
    """A file and its units, best first. A unit belongs to the file of its root function.

    `planned` are the units that the work on this file takes in: the best one, and others that are worth it themselves.
    """

    codebase: str
    language: Language
    path: str
    units: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        """The unit that the file is scored by."""
        return self.units[0]

    @property
    def planned(self) -> tuple[Candidate, ...]:
        """The best unit and every other that is worth it."""
        return (self.best, *(unit for unit in self.units[1:] if unit.verdict is Verdict.WORTH_IT))

    @property
    def key(self) -> tuple[str, str, str]:
        """Codebase, language and path: the identity of a file."""
        return (self.codebase, self.language.value, self.path)


def by_file(candidates: Iterable[Candidate]) -> tuple[FileCandidate, ...]:
    """One candidate a file, best first. Equal scores keep the order of the ranking."""
    gathered: dict[tuple[str, Language, str], list[Candidate]] = {}
    for unit in _best_first(tuple(candidates)):
        gathered.setdefault((unit.codebase, unit.language, unit.root.path), []).append(unit)
    return tuple(FileCandidate(*key, tuple(units)) for key, units in gathered.items())


def standing(unit: Candidate) -> tuple[bool, float]:
    """Sorts units as the ranking does: those with too little data last, then by score."""
    return (unit.verdict is Verdict.INSUFFICIENT_DATA, -unit.score)


def _best_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=standing)
