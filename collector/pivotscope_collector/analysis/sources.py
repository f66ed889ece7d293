"""Names and facts of functions, from the source where it can be read and from the tool where it cannot."""

from dataclasses import dataclass
from pathlib import Path

from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.folded import WRAPPERS
from pivotscope.profile.folding import owner_name
from pivotscope.profile.frame import Frame
from pivotscope.profile.function import Function, Owner
from pivotscope.profile.language import Language
from pivotscope.source import SourceError, SourceFacts, read
from pivotscope.source.names import FileNames

from pivotscope_collector.analysis.locate import Location, Locator


@dataclass(frozen=True, slots=True)
class _File:
    names: FileNames
    functions: dict[str, FunctionFacts]


class Sources:
    """Turns frames into functions. Each file is read once; `unread` are those that could not be, with the reason."""

    def __init__(self, locator: Locator) -> None:
        self._locator = locator
        self._files: dict[tuple[Path, Language], _File | None] = {}
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
        printed = owner_name(frame.name)[0]
        if location.owner is not Owner.APPLICATION or location.source is None:
            return Function(location.codebase, language, location.path, printed, location.owner)
        file = self._file(location.source, location, language)
        name = file.names.resolve(printed, frame.line) if file is not None else printed
        if location.guessed and file is not None and name not in file.functions and printed not in WRAPPERS:
            # only the file's name speaks for it, and its functions do not: a library's file of the same name
            return Function("", language, frame.path, printed, Owner.LIBRARY)
        function = Function(location.codebase, language, location.path, name)
        if file is not None and name in file.functions:
            self.facts[function] = file.functions[name]
        return function

    def _file(self, source: Path, location: Location, language: Language) -> _File | None:
        if (source, language) not in self._files:
            found = self._read(source, location.path, language)
            self._files[source, language] = (
                _File(found.names(), {entry.qualified_name: entry for entry in found.functions}) if found else None
            )
        return self._files[source, language]

    def _read(self, source: Path, path: str, language: Language) -> SourceFacts | None:
        try:
            return read(source.read_bytes(), language)
        except OSError as error:
            self.unread[path] = error.strerror or type(error).__name__
        except SourceError as error:
            self.unread[path] = str(error)
        except ModuleNotFoundError as error:
            self.unread[path] = f"the package {error.name} that reads {language.value} is not installed"
        return None
