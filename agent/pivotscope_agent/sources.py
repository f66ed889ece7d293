"""What the agent knows of source files: names for its windows, and facts for the collector."""

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pivotscope.profile.facts import CodebaseFacts, FileFacts
from pivotscope.profile.function import Owner
from pivotscope.source.names import FileNames

from pivotscope_agent.facts.client import read_facts
from pivotscope_agent.facts.messages import FactsRequest
from pivotscope_agent.naming.resolver import Resolver
from pivotscope_agent.naming.roots import Roots
from pivotscope_agent.targets import procfs
from pivotscope_agent.targets.inside import RootFolder
from pivotscope_agent.targets.target import Target

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
"""A window waits no longer for the names of its functions; then the sampler's own names stand."""

Place = tuple[str, ...]


@dataclass(slots=True)
class _Code:
    """One codebase in one place, as one or several processes run it."""

    roots: Roots
    resolver: Resolver
    users: set[tuple[int, int]] = field(default_factory=set)
    measured: bool = False


class Sources:
    """Resolvers by codebase and place; processes that run the same code share one, with all it has learnt.

    `offer` takes the facts of files and codebases as they become known.
    """

    def __init__(self, offer: Callable[[Iterable[FileFacts | CodebaseFacts]], None]) -> None:
        self._offer = offer
        self._codes: dict[Place, _Code] = {}
        self._places: dict[tuple[int, int], Place] = {}

    def resolver(self, target: Target) -> Resolver:
        """The resolver for a process."""
        return self._code(target).resolver

    async def look_up(self, target: Target, files: tuple[str, ...]) -> Mapping[str, FileNames | None]:
        """Read these files in a child, pass their facts on, and return their names. Never raises for their sake."""
        code, labels = self._code(target), target.labels
        request = FactsRequest(
            language=target.process.language,
            files=files,
            root="" if code.measured else code.roots.primary,
            container_root=_root_of(target),
        )
        answer = await read_facts(request, timeout_seconds=TIMEOUT_S)
        facts: list[FileFacts | CodebaseFacts] = []
        for file in answer.files:
            location = code.roots.locate(file.file)
            if file.facts is None:
                log.info("no facts of %s in process %d: %s", file.file, target.process.pid, file.reason)
            elif location.owner is Owner.APPLICATION:
                facts.append(file.facts.of(location.codebase, location.path))
        if answer.size is not None:
            code.measured = True
            facts.append(CodebaseFacts(labels.codebase, answer.size.total_files, answer.size.total_lines))
        self._offer(facts)
        return {file.file: file.facts.names() if file.facts else None for file in answer.files}

    def forget(self, target: Target) -> None:
        """A process ended: what was learnt goes with the last that ran the code, for the next may run another."""
        place = self._places.pop(target.key, None)
        if place is not None and place in self._codes:
            self._codes[place].users.discard(target.key)
            if not self._codes[place].users:
                del self._codes[place]

    def ask_again(self, codebase: str) -> None:
        """Have the facts of a codebase (empty: of all) read and sent anew, as its files come up in windows."""
        for place in [place for place in self._codes if not codebase or place[0] == codebase]:
            del self._codes[place]
        self._places = {key: place for key, place in self._places.items() if place in self._codes}

    def _code(self, target: Target) -> _Code:
        place = self._places.get(target.key)
        if place is None:
            place = self._places[target.key] = _place(target)
        code = self._codes.get(place)
        if code is None:
            roots = Roots(
                target.labels.codebase,
                target.process.language,
                cwd=target.working_folder,
                root=target.labels.root,
                exists=_exists(target),
            )
            code = self._codes[place] = _Code(roots, Resolver(roots, target.process.language))
        code.users.add(target.key)
        return code


def _place(target: Target) -> Place:
    """What decides which files a path names: codebase and version, folders, and the process's view of the disk."""
    labels = target.labels
    return (labels.codebase, target.process.language, labels.version, labels.root, target.working_folder, *target.view)


def _root_of(target: Target) -> str:
    """The root of the files that the process sees; it holds when the process has ended, where it is our own root."""
    return "/" if target.view == procfs.view(os.getpid()) else f"/proc/{target.process.pid}/root"


def _exists(target: Target) -> Callable[[str], bool]:
    def exists(path: str) -> bool:
        try:
            with RootFolder(_root_of(target)) as folder:
                return folder.exists(path)
        except OSError:
            return False

    return exists
