"""From a path as a profiler printed it to a file of a codebase, a library or the language itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from pivotscope.profile.function import Owner
from pivotscope.profile.language import Language

from pivotscope_collector.analysis.codebase import Codebase

_INTERNAL = re.compile(r"^<(?:frozen |internal:)(?P<rest>.+)>$")
_LIBRARY = re.compile(r"(?:^|/)(?:(?:site|dist)-packages|gems/[^/]+-\d[^/]*|vendor_ruby|site_ruby)/(?P<rest>.+)$")
_STANDARD = re.compile(r"(?:^|/)(?:lib(?:64)?/(?:python|pypy)\d[\d.]*t?|lib/(?:[\w-]+/)?ruby/\d[\d.]*)/(?P<rest>.+)$")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a file belongs. `source` is where its text can be read, None where it cannot or need not be.

    `guessed` is set where only the file's own name speaks for it: then its functions must speak for it too.
    """

    codebase: str
    path: str
    owner: Owner
    source: Path | None = None
    guessed: bool = False


class Locator:
    """Finds files in the given codebases.

    A profile may come from another machine or a container, where the same files lie elsewhere, and py-spy shortens
    paths. So a path that is not below a codebase's folder is matched from its end: an absolute one must end with a
    file's whole path in its codebase, a relative one must be the end of it. The longest match counts, if it is unique.
    """

    def __init__(self, codebases: Sequence[Codebase]) -> None:
        self._codebases = tuple(codebases)
        self._named: dict[str, list[tuple[Codebase, str]]] = {}
        for codebase in self._codebases:
            for file in codebase.files:
                self._named.setdefault(file.rpartition("/")[2], []).append((codebase, file))
        self.locate = lru_cache(maxsize=65_536)(self._locate)

    def _locate(self, path: str, language: Language) -> Location:
        """Where a printed path belongs. Empty paths and paths of no file are the runtime's."""
        if not path or path in {"~", "-e", "<string>", "<stdin>"}:
            return Location(f"{language}-core", "", Owner.RUNTIME)
        if found := _INTERNAL.match(path):
            return Location(f"{language}-standard", found["rest"], Owner.STANDARD)
        below = self._below(path)
        if below is not None:
            return below
        if found := _LIBRARY.search(path):
            return Location(found["rest"].partition("/")[0].removesuffix(".py"), found["rest"], Owner.LIBRARY)
        if found := _STANDARD.search(path):
            return Location(f"{language}-standard", found["rest"], Owner.STANDARD)
        return self._by_end(path) or Location("", path.lstrip("/"), Owner.LIBRARY)

    def _below(self, path: str) -> Location | None:
        for codebase in self._codebases:
            absolute = Path(path) if path.startswith("/") else codebase.root / path
            if absolute.is_relative_to(codebase.root):
                relative = PurePosixPath(absolute.relative_to(codebase.root)).as_posix().removeprefix("./")
                if relative in codebase.files:
                    return Location(codebase.name, relative, Owner.APPLICATION, codebase.root / relative)
        return None

    def _by_end(self, path: str) -> Location | None:
        parts = path.strip("/").split("/")
        matches = []
        for codebase, file in self._named.get(parts[-1], ()):
            own = file.split("/")
            agreeing = _agreeing(parts, own)
            if agreeing == (len(own) if path.startswith("/") else len(parts)):
                matches.append((agreeing, codebase, file))
        most = max((agreeing for agreeing, _, _ in matches), default=0)
        best = [(codebase, file) for agreeing, codebase, file in matches if agreeing == most]
        if len(best) != 1:
            return None
        codebase, file = best[0]
        return Location(codebase.name, file, Owner.APPLICATION, codebase.root / file, guessed=most == 1)


def _agreeing(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts agree, from the end."""
    count = 0
    for mine, theirs in zip(reversed(one), reversed(other), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
