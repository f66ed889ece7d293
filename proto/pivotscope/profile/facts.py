"""Facts of source files: numbers about code, never its text."""

from dataclasses import dataclass

from pivotscope.profile.language import Language


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """Size and shape of one function. `complexity` is McCabe's; lines are 1-based and inclusive.

    `subscripts` are all reads and writes by index or key, `keyed` those of them by a literal name (`sale["amount"]`,
    `sale[:amount]`): records, not arrays. `strings` are operations on text.
    Counts cover the function's own body with its comprehensions, lambdas and blocks, which fold into it.
    """

    qualified_name: str
    first_line: int
    last_line: int
    complexity: int = 1
    loops: int = 0
    loop_depth: int = 0
    parameters: int = 0
    calls: int = 0
    attributes: int = 0
    subscripts: int = 0
    arithmetic: int = 0
    awaits: int = 0
    strings: int = 0
    keyed: int = 0

    @property
    def lines(self) -> int:
        """Lines of source, first to last."""
        return self.last_line - self.first_line + 1


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A source file and its functions. `path` is relative to the codebase's root."""

    codebase: str
    language: Language
    path: str
    content_hash: str
    lines: int
    functions: tuple[FunctionFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class CodebaseFacts:
    """How large a codebase is: its source files in the languages sampled, and their lines."""

    codebase: str
    total_files: int
    total_lines: int
