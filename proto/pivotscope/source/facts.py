"""What one source file says in numbers."""

from dataclasses import dataclass
from hashlib import blake2b

from pivotscope.profile.facts import FileFacts, FunctionFacts
from pivotscope.profile.language import Language
from pivotscope.source.names import FileNames


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """Numbers and names of a file, before it is known which codebase it belongs to.

    `functions` hold the top level too, named `<module>` or `<main>`. For the others see `FileNames`.
    """

    language: Language
    content_hash: str
    lines: int
    functions: tuple[FunctionFacts, ...] = ()
    dynamic: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    waits: tuple[int, ...] = ()

    def names(self) -> FileNames:
        """The lookup from a tool's frames to qualified names."""
        return FileNames(self.language, self.functions, dynamic=self.dynamic, scopes=self.scopes, waits=self.waits)

    def of(self, codebase: str, path: str) -> FileFacts:
        """The record that goes to the collector."""
        return FileFacts(codebase, self.language, path, self.content_hash, self.lines, self.functions)


@dataclass(slots=True)
class Counts:
    """Counters of one function while its body is walked."""

    qualified_name: str
    first_line: int
    last_line: int
    parameters: int = 0
    complexity: int = 1
    loops: int = 0
    loop_depth: int = 0
    calls: int = 0
    attributes: int = 0
    subscripts: int = 0
    keyed: int = 0
    arithmetic: int = 0
    awaits: int = 0
    strings: int = 0

    def loop(self, depth: int) -> None:
        """Count a loop that stands within `depth` loops, itself included: a decision too."""
        self.loops += 1
        self.complexity += 1
        self.loop_depth = max(self.loop_depth, depth)

    def facts(self) -> FunctionFacts:
        """The counters as they stand now."""
        return FunctionFacts(
            qualified_name=self.qualified_name,
            first_line=self.first_line,
            last_line=self.last_line,
            complexity=self.complexity,
            loops=self.loops,
            loop_depth=self.loop_depth,
            parameters=self.parameters,
            calls=self.calls,
            attributes=self.attributes,
            subscripts=self.subscripts,
            keyed=self.keyed,
            arithmetic=self.arithmetic,
            awaits=self.awaits,
            strings=self.strings,
        )


def content_hash(data: bytes) -> str:
    """Tells versions of a file apart; 64 bits, in hex."""
    return blake2b(data, digest_size=8).hexdigest()


def line_count(data: bytes) -> int:
    """Lines of a text, the last one counted whether or not it is ended."""
    return data.count(b"\n") + (0 if data.endswith(b"\n") or not data else 1)
