"""Names and facts of functions, from the source where it can be read and from the tool where it cannot."""

from pathlib import Path

from pivotscope.profile.facts import FileFacts, FunctionFacts
from pivotscope.profile.folded import WRAPPERS
from pivotscope.profile.folding import owner_name
from pivotscope.profile.frame import Frame
from pivotscope.profile.function import Function, Owner
from pivotscope.profile.language import Language
from pivotscope.source import SourceError, enclosing, file_facts

from pivotscope_collector.analysis.locate import Locator

_TOP = {Language.PYTHON: "<module>", Language.RUBY: "<main>"}


class Sources:
    """Turns frames into functions. Each file is read once; `unread` are those that could not be, with the reason."""

    def __init__(self, locator: Locator) -> None:
        self._locator = locator
        self._files: dict[tuple[Path, Language], FileFacts | None] = {}
        self._named: dict[tuple[Frame, Language], Function] = {}
        self.facts: dict[Function, FunctionFacts] = {}
        self.unread: dict[str, str] = {}

    def function(self, frame: Frame, language: Language) -> Function:
        """The function that a frame is in."""
        known = self._named.get((frame, language))
        if known is None:
            known = self._named[frame, language] = self._name(frame, language)
        return known

    def _name(self, frame: Frame, language: Language) -> Function:
        location = self._locator.locate(frame.path, language)
        name = owner_name(frame.name)[0]
        if location.owner is not Owner.APPLICATION or location.source is None:
            return Function(location.codebase, language, location.path, name, location.owner)
        facts = self._facts_of(location.source, location.codebase, location.path, language)
        entry = _entry(facts, name, frame.line, _TOP[language]) if facts is not None else None
        if location.guessed and facts is not None and (entry is None or not _speaks_for(entry, name)):
            return Function("", language, frame.path, name, Owner.LIBRARY)
        function = Function(
            location.codebase, language, location.path, entry.qualified_name if entry is not None else name
        )
        if entry is not None:
            self.facts[function] = entry
        return function

    def _facts_of(self, source: Path, codebase: str, path: str, language: Language) -> FileFacts | None:
        if (source, language) not in self._files:
            self._files[source, language] = self._read(source, codebase, path, language)
        return self._files[source, language]

    def _read(self, source: Path, codebase: str, path: str, language: Language) -> FileFacts | None:
        try:
            return file_facts(source.read_bytes(), codebase=codebase, language=language, path=path)
        except OSError as error:
            self.unread[path] = error.strerror or type(error).__name__
        except SourceError as error:
            self.unread[path] = str(error).removeprefix(f"{path}: ")
        except ModuleNotFoundError as error:
            self.unread[path] = f"the package {error.name} that reads {language.value} is not installed"
        return None


def _entry(facts: FileFacts, name: str, line: int, top: str) -> FunctionFacts | None:
    """The function of a file that a tool's name and line mean.

    The line decides where the function around it has the tool's name. Where it has another one (the source is of
    another version, or the tool gave the line of a definition), a function of that name in the file is taken, the
    nearest to the line; and the line again where there is no such function.
    """
    plain = _plain(name)
    around = enclosing(facts.functions, line) if line > 0 else None
    if around is not None and (plain in WRAPPERS or _plain(around.qualified_name) == plain):
        return around
    if name == top or plain.startswith("<"):
        return next((entry for entry in facts.functions if entry.qualified_name == top), None)
    same = [entry for entry in facts.functions if entry.qualified_name == name] or [
        entry for entry in facts.functions if _plain(entry.qualified_name) == plain
    ]
    return min(same, key=lambda entry: abs(entry.first_line - line), default=around)


def _speaks_for(entry: FunctionFacts, name: str) -> bool:
    """Whether a frame's name is that of the function in the file: the files of a library have others."""
    return name in WRAPPERS or _plain(entry.qualified_name) == _plain(name)


def _plain(name: str) -> str:
    """The last part of a qualified name: `A.b`, `A#b` and `A::b` are all `b`."""
    return name.replace("#", ".").replace("::", ".").rpartition(".")[2]
