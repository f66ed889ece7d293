"""From a path as a profiler printed it to the codebase that the file belongs to."""

import posixpath
from collections.abc import Callable

from pivotscope.profile.function import Owner
from pivotscope.profile.language import Language

from pivotscope_agent.naming.libraries import Location, locate_library

MARKERS = {
    Language.PYTHON: ("pyproject.toml", "setup.py", "setup.cfg", ".git"),
    Language.RUBY: ("Gemfile", "gems.rb", ".git"),
}
"""Files that stand at the root of a codebase."""


class Roots:
    """Tells which codebase the files of one process belong to, and their paths in it.

    The root of the application is `root` where it is configured (or told by PIVOTSCOPE_ROOT), else the nearest folder
    at or above the working directory that holds a marker, else the working directory. A file outside of it is relative
    to its own nearest marker, with that folder's name in front, so that two roots of one codebase cannot collide.

    `exists` answers for paths as the process sees them. Results are cached: one lookup a file.
    """

    def __init__(
        self, codebase: str, language: Language, *, cwd: str, root: str = "", exists: Callable[[str], bool]
    ) -> None:
        self._codebase = codebase
        self._language = language
        self._cwd = cwd or "/"
        self._exists = exists
        self._marked: dict[str, str] = {}
        self._located: dict[str, Location] = {}
        self._configured = _folder(root)
        self._primary: str | None = None

    @property
    def primary(self) -> str:
        """Root of the application, absolute, without a slash at its end (so "" is the file system's root)."""
        if self._primary is None:
            self._primary = self._configured or self._nearest(_folder(self._cwd)) or _folder(self._cwd)
        return self._primary

    def locate(self, path: str) -> Location:
        """Codebase, path in it and owner of a file. A relative path is taken from the working directory."""
        location = self._located.get(path)
        if location is None:
            location = self._located[path] = self._locate(path)
        return location

    def _locate(self, path: str) -> Location:
        if not path or path.startswith(("<", "(")):
            return locate_library(path, self._language) or Location(self._codebase, path, Owner.RUNTIME)
        absolute = posixpath.normpath(posixpath.join(self._cwd, path))
        if self._configured and absolute.startswith(self._configured + "/"):
            below = absolute[len(self._configured) :]
            return locate_library(below, self._language) or self._application(absolute, self._configured, "")
        if library := locate_library(absolute, self._language):
            return library
        if absolute.startswith(self.primary + "/"):
            return self._application(absolute, self.primary, "")
        own = self._nearest(posixpath.dirname(absolute))
        return self._application(absolute, own, posixpath.basename(own) + "/" if own else "")

    def _application(self, absolute: str, root: str, prefix: str) -> Location:
        relative = prefix + absolute[len(root) + 1 :]
        return Location(self._codebase, relative, Owner.APPLICATION, file=absolute)

    def _nearest(self, folder: str) -> str:
        """The nearest folder at or above with a marker, "" where there is none below the file system's root."""
        visited = []
        while folder not in self._marked:
            if folder in {"", "/"}:
                self._marked[folder] = ""
                break
            visited.append(folder)
            if any(self._exists(posixpath.join(folder, marker)) for marker in MARKERS[self._language]):
                self._marked[folder] = folder
                break
            folder = posixpath.dirname(folder)
        found = self._marked[folder]
        for below in visited:
            self._marked[below] = found
        return found


def _folder(path: str) -> str:
    return posixpath.normpath(path).rstrip("/") if path else ""
