"""How large a codebase is."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass

from pivotscope.profile.language import Language
from pivotscope.source.facts import line_count

from pivotscope_agent.targets.inside import RootFolder, read_regular

EXTENSIONS = {Language.PYTHON: (".py",), Language.RUBY: (".rb", ".rake", ".ru")}
"""Endings of source files by language."""

EXCLUDED = frozenset({
    "__pycache__", "__pypackages__", "bower_components", "build", "coverage", "dist", "dist-packages", "env", "log",
    "node_modules", "site-packages", "tmp", "venv", "virtualenv",
})  # fmt: skip
"""Folders that hold what was installed or made, not what the team wrote. Hidden folders are left out as well."""

_MAX_FILE_BYTES = 4 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class CodebaseSize:
    """Source files below a root, and their lines. `complete` is False where a bound ended the count early."""

    total_files: int
    total_lines: int
    complete: bool = True


def measure_codebase(
    folder: RootFolder,
    root: str,
    languages: Collection[Language],
    *,
    clock: Callable[[], float],
    max_entries: int = 200_000,
    max_seconds: float = 10.0,
) -> CodebaseSize:
    """Count the source files below `root` and their lines, without following links.

    `clock` gives monotonic seconds. What cannot be read is left out. Raises OSError where the root cannot be opened.
    """
    endings = tuple(ending for language in languages for ending in EXTENSIONS[language])
    deadline = clock() + max_seconds
    files = lines = entries = 0
    folders = [folder.open(root, _FOLDER)]
    try:
        while folders:
            here = folders.pop()
            try:
                with os.scandir(here) as listing:
                    for entry in listing:
                        entries += 1
                        if entries > max_entries or clock() > deadline:
                            return CodebaseSize(files, lines, complete=False)
                        if entry.is_dir(follow_symlinks=False):
                            below = _enter(here, entry.name)
                            folders.extend([below] if below is not None else [])
                        elif entry.name.endswith(endings) and entry.is_file(follow_symlinks=False):
                            files += 1
                            lines += _lines(here, entry.name)
            finally:
                os.close(here)
    finally:
        for left in folders:
            os.close(left)
    return CodebaseSize(files, lines)


def _enter(parent: int, name: str) -> int | None:
    """A descriptor of a folder that may hold the team's sources."""
    if name.startswith(".") or name in EXCLUDED or name.endswith((".egg-info", ".egg")):
        return None
    try:
        folder = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    except OSError:
        return None
    if _holds(folder, "pyvenv.cfg") or (name == "bundle" and _holds(folder, "ruby")):
        os.close(folder)
        return None
    return folder


def _holds(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return True


def _lines(parent: int, name: str) -> int:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
    except OSError:
        return 0
    try:
        return line_count(read_regular(descriptor, limit=_MAX_FILE_BYTES))
    except OSError:
        return 0
    finally:
        os.close(descriptor)
