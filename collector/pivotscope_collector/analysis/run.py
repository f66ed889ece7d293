"""The whole of an analysis: files and folders in, evidence out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pivotscope_collector.analysis.breakdown import Breakdown
from pivotscope_collector.analysis.codebase import Codebase, root_of, survey
from pivotscope_collector.analysis.evidence import gather
from pivotscope_collector.analysis.load import break_down, languages, read
from pivotscope_collector.analysis.locate import Locator
from pivotscope_collector.analysis.sources import Sources
from pivotscope_collector.errors import UsageError
from pivotscope_collector.scoring.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Analysis:
    """What files and folders say. `files` are (codebase, path) of the source files that were asked about by name.

    `notes` say what the figures stand on, and what could not be read.
    """

    evidence: Evidence
    profiles: tuple[Breakdown, ...]
    files: frozenset[tuple[str, str]]
    notes: tuple[str, ...]


def analyse(
    targets: Sequence[Path], profile_files: Sequence[Path], service: str = "", core_hours: float | None = None
) -> Analysis:
    """Read the profiles of one service, and the source that they are about.

    A folder among `targets` is a codebase; a file belongs to the codebase around it and narrows the answer. Without
    any, the working directory is the codebase. `core_hours` is the service's CPU of a year where it is known.
    Raises UsageError.
    """
    for target in targets:
        if not target.exists():
            raise UsageError(f"{target}: no such file or folder")
    profiles = [(str(path), read(path)) for path in profile_files]
    spoken = languages(profile for _, profile in profiles)
    roots = dict.fromkeys(
        (target.resolve() if target.is_dir() else root_of(target)) for target in (targets or [Path()])
    )
    codebases = _named([survey(root, spoken) for root in roots])
    sources = Sources(Locator(codebases))
    broken = tuple(break_down(profile, file, sources) for file, profile in profiles)
    until_ns = max((path.stat().st_mtime_ns for path in profile_files), default=0)
    evidence = gather(broken, codebases, sources.facts, service=service, core_hours=core_hours, until_ns=until_ns)
    return Analysis(evidence, broken, _files(targets, codebases), _notes(broken, evidence, codebases, sources))


def _named(codebases: Sequence[Codebase]) -> tuple[Codebase, ...]:
    """Folders of the same name are told apart by the folder around them."""
    names = [codebase.name for codebase in codebases]
    return tuple(
        codebase
        if names.count(codebase.name) == 1
        else Codebase(f"{codebase.root.parent.name}/{codebase.name}", codebase.root, codebase.files, codebase.lines)
        for codebase in codebases
    )


def _files(targets: Sequence[Path], codebases: Sequence[Codebase]) -> frozenset[tuple[str, str]]:
    wanted = set()
    for target in (target.resolve() for target in targets if not target.is_dir()):
        home = next(codebase for codebase in codebases if target.is_relative_to(codebase.root))
        wanted.add((home.name, target.relative_to(home.root).as_posix()))
    return frozenset(wanted)


def _notes(
    profiles: Sequence[Breakdown], evidence: Evidence, codebases: Sequence[Codebase], sources: Sources
) -> tuple[str, ...]:
    notes = [note for profile in profiles for note in profile.notes]
    notes += [
        f"{path}: named by the profiler, not by its source: {why}" for path, why in sorted(sources.unread.items())
    ]
    if not evidence.services:
        folders = ", ".join(str(codebase.root) for codebase in codebases)
        notes.append(f"no function of the profiles is in {folders}: give the folder that the profiled code is in")
    return tuple(notes)
