"""A codebase as it lies in a folder: which source files it has, and how large it is."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pivotscope.profile.language import Language

from pivotscope_collector.errors import UsageError

SUFFIXES = {Language.PYTHON: (".py",), Language.RUBY: (".rb", ".rake", ".ru")}
"""What source files of a language end with."""

EXCLUDED = frozenset({
    "__pycache__", "__pypackages__", "build", "dist", "env", "node_modules", "site-packages", "venv", "virtualenv",
})  # fmt: skip
"""Folders of installed or generated code. Hidden folders, and environments of any other name, are left out too."""

_VENDORED = (("vendor", "bundle"), ("vendor", "cache"), ("vendor", "gems"))
_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", "Gemfile", "gems.rb", ".git")


@dataclass(frozen=True, slots=True)
class Codebase:
    """A folder of source. `files` are relative to `root` with forward slashes, sorted."""

    name: str
    root: Path
    files: tuple[str, ...]
    lines: int


def survey(root: Path, languages: Iterable[Language], name: str = "") -> Codebase:
    """List a codebase's source files in these languages. Symbolic links are not followed.

    Raises UsageError where the folder cannot be read.
    """
    suffixes = tuple(suffix for language in languages for suffix in SUFFIXES[language])
    resolved = root.resolve()
    if not resolved.is_dir():
        raise UsageError(f"{root}: expected a folder of source code")
    files = tuple(sorted(_files(resolved, suffixes)))
    lines = sum(_lines(resolved / file) for file in files)
    return Codebase(name or resolved.name, resolved, files, lines)


def root_of(source: Path) -> Path:
    """The folder that a source file's codebase begins at: the nearest one with a project file, else its own."""
    folder = source.resolve().parent
    for candidate in (folder, *folder.parents):
        if any((candidate / marker).exists() for marker in _MARKERS):
            return candidate
    return folder


def _files(root: Path, suffixes: tuple[str, ...]) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        if Path(error.filename or root) == root:
            raise UsageError(f"{root}: {error.strerror}") from error

    for folder, folders, names in os.walk(root, onerror=refuse):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not _excluded(here, name))
        yield from (
            (here / name).relative_to(root).as_posix()
            for name in names
            if name.endswith(suffixes) and not (here / name).is_symlink()
        )


def _excluded(parent: Path, name: str) -> bool:
    return (
        name in EXCLUDED
        or name.startswith(".")
        or name.endswith((".egg-info", ".dist-info"))
        or (parent.name, name) in _VENDORED
        or (parent / name / "pyvenv.cfg").exists()
    )


def _lines(path: Path) -> int:
    """Lines of a file, 0 where it cannot be read: counting must not fail on one file's permissions."""
    try:
        data = path.read_bytes()
    except OSError:
        return 0
    return data.count(b"\n") + (1 if data and not data.endswith(b"\n") else 0)
