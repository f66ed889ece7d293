"""Which interpreter a process runs, told from its files: before anything is attached to it."""

import mmap
import os
import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath

from pivotscope.profile.language import Language

from pivotscope_agent.targets import procfs
from pivotscope_agent.targets.inside import RootFolder

_PYTHON_EXE = re.compile(r"python(?:\d(?:\.\d+)?)?[a-z]*(?:-intel64)?")
_PYTHON_LIBRARY = re.compile(r"libpython(\d\.\d+)[a-z]*\.so.*")
_RUBY_EXE = re.compile(r"ruby(?:\d(?:\.\d+)*)?")
_RUBY_LIBRARY = re.compile(r"libruby(?:-(\d\.\d))?(?:-static)?\.so(?:\.(\d\.\d+\.\d+)|.*)")
_OTHERS = (
    ("PyPy", Language.PYTHON, re.compile(r"(?:lib)?pypy.*")),
    ("GraalPy", Language.PYTHON, re.compile(r"graalpy.*")),
    ("mruby", Language.RUBY, re.compile(r"(?:mruby|mirb)(?:\d.*)?")),
    ("TruffleRuby", Language.RUBY, re.compile(r"truffleruby.*|libtruffleruby.*")),
    ("JRuby", Language.RUBY, re.compile(r"jruby.*|libjruby.*")),
)
_PYTHON_VERSION = re.compile(rb"([23]\.\d{1,2}\.\d{1,2}(?:(?:a|b|rc)\d+)?\+?)\0")
_RUBY_VERSION = re.compile(rb"ruby (\d\.\d{1,2}\.\d{1,2})(?:p\d+|preview\d+|rc\d+|dev)?[ (]")

PYTHON_SUPPORTED = frozenset({(2, 7), *((3, minor) for minor in range(3, 14))})
"""py-spy 0.4.3: CPython 2.7 and 3.3 to 3.13."""
RUBY_SUPPORTED = frozenset({(1, 9), *((2, minor) for minor in range(8)), *((3, minor) for minor in range(5)), (4, 0)})
"""rbspy 0.55: 1.9 to 4.0."""


VersionReader = Callable[[str, Language, str], str]


@dataclass(frozen=True, slots=True)
class Runtime:
    """An interpreter: its language, its name and version, and why it cannot be sampled (empty: it can)."""

    language: Language
    name: str
    version: str
    unsupported: str = ""


def runtime_of(pid: int) -> Runtime | None:
    """The interpreter that a process runs; None for any other program. Raises ProcessGoneError."""
    # Another user's files may be hidden from us; what the process calls itself tells at least that it is refused.
    executable = procfs.executable(pid) or next(iter(procfs.cmdline(pid)), "")
    if not executable:
        return None
    root = f"/proc/{pid}/root"
    return classify(executable, procfs.mapped_files(pid), lambda path, *what: _embedded(root, path, *what))


def classify(executable: str, mapped: Iterable[str], full_version: VersionReader) -> Runtime | None:
    """Judge by the program's path and the libraries that it maps.

    `full_version(path, language, series)` returns the version that the file at that path carries, empty where it
    tells none; `series` is what is known of it ("3.11" or empty).
    """
    names = [(PurePosixPath(path).name, path) for path in (executable, *mapped)]
    program = names[0][0]
    for kind, language, pattern in _OTHERS:
        if any(pattern.fullmatch(name) for name, _ in names):
            return Runtime(language, kind, "", f"{kind} is not supported; CPython and CRuby are")
    for name, path in names:
        if found := _PYTHON_LIBRARY.fullmatch(name):
            return _python(path, found[1], full_version)
        if found := _RUBY_LIBRARY.fullmatch(name):
            return _ruby(path, found[2] or found[1] or "", full_version)
    if _PYTHON_EXE.fullmatch(program):
        return _python(executable, program.removeprefix("python").rstrip("dmutw"), full_version)
    if _RUBY_EXE.fullmatch(program):
        return _ruby(executable, program.removeprefix("ruby"), full_version)
    return None


def _python(path: str, series: str, full_version: VersionReader) -> Runtime:
    version = full_version(path, Language.PYTHON, series) or series
    return Runtime(Language.PYTHON, "CPython", version, _unsupported("CPython", version, PYTHON_SUPPORTED))


def _ruby(path: str, series: str, full_version: VersionReader) -> Runtime:
    version = full_version(path, Language.RUBY, series) or series
    return Runtime(Language.RUBY, "CRuby", version, _unsupported("CRuby", version, RUBY_SUPPORTED))


def _unsupported(name: str, version: str, supported: frozenset[tuple[int, int]]) -> str:
    parts = re.match(r"(\d+)\.(\d+)", version)
    if parts is None or (int(parts[1]), int(parts[2])) in supported:
        return ""
    known = ", ".join(f"{major}.{minor}" for major, minor in sorted(supported))
    return f"{name} {version} is not supported by the sampler; supported are {known}"


def _embedded(root: str, path: str, language: Language, series: str) -> str:
    """The version that a file below `root` carries, empty where it tells none. Read once for all that run it."""
    try:
        with RootFolder(root) as folder:
            handle = folder.open(path)
        try:
            details = os.fstat(handle)
            if not stat.S_ISREG(details.st_mode):
                return ""
            file = (details.st_dev, details.st_ino, details.st_mtime_ns)
            return _version_in(_File(handle, file), language, series)
        finally:
            os.close(handle)
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class _File:
    """An open file; what it is, and not its descriptor, tells it from others."""

    handle: int = field(compare=False)
    identity: tuple[int, int, int]


@lru_cache(maxsize=64)
def _version_in(file: _File, language: Language, series: str) -> str:
    """Search a binary for the text that the interpreter prints as its version; cached by the file's identity.

    A pattern that begins with fixed text is searched ten times faster.
    """
    if language is Language.RUBY:
        pattern = _RUBY_VERSION
    elif "." in series:
        pattern = re.compile(b"(" + re.escape(series).encode() + rb"\.\d{1,2}(?:(?:a|b|rc)\d+)?\+?)\0")
    else:
        pattern = _PYTHON_VERSION
    try:
        with mmap.mmap(file.handle, 0, access=mmap.ACCESS_READ) as text:
            found = pattern.search(text)
            return found[1].decode() if found else ""
    except (OSError, ValueError):
        return ""
