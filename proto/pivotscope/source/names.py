"""The names of a file's functions by line."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.folded import WRAPPERS
from pivotscope.profile.language import Language

TOP_LEVEL = {Language.PYTHON: "<module>", Language.RUBY: "<main>"}
"""Name of what a file does outside of any function."""


class FileNames:
    """Tells the qualified name of a frame from the name that a tool printed, and its line.

    `dynamic` are functions that the tool cannot name (Ruby's `define_method` with a block): their frames carry the name
    of the class body. `scopes` are classes and modules by plain name; their bodies run as a part of the top level.
    `waits` are lines on which a method is called that waits.
    """

    def __init__(
        self,
        language: Language,
        functions: Sequence[FunctionFacts],
        *,
        dynamic: Iterable[str] = (),
        scopes: Iterable[str] = (),
        waits: Iterable[int] = (),
    ) -> None:
        self._top = TOP_LEVEL[language]
        self._dynamic = frozenset(dynamic)
        self._scopes = frozenset(scopes)
        self._qualified = {function.qualified_name for function in functions}
        self._by_simple_name: dict[str, list[FunctionFacts]] = {}
        for function in functions:
            self._by_simple_name.setdefault(simple_name(function.qualified_name), []).append(function)
        self._starts, self._innermost = _intervals(functions)
        self._waiting = {self.at(line) for line in waits}

    def at(self, line: int) -> str:
        """The innermost function that holds a line; the top level where none does."""
        position = bisect_right(self._starts, line) - 1
        return (self._innermost[position] if position >= 0 else None) or self._top

    def waits_at(self, line: int) -> bool:
        """Whether the function that holds a line calls a method that waits. Of a call rbspy tells the function only."""
        return self.at(line) in self._waiting

    def resolve(self, name: str, line: int) -> str:
        """The qualified name of a frame.

        A tool's line can be off by one or stale by an edit, so its name decides first, and the line between several
        functions of that name. A name that the file does not hold (made at run time) is kept.
        """
        if name == self._top or name in self._qualified:
            return name
        if name in WRAPPERS:
            return self.at(line)
        if candidates := self._by_simple_name.get(simple_name(name)):
            return min(candidates, key=lambda function: _distance(function, line)).qualified_name
        if name.startswith(("<class:", "<module:", "singleton class")) or name in self._scopes:
            here = self.at(line)
            return here if here in self._dynamic else self._top
        return name


def simple_name(qualified_name: str) -> str:
    """The last part of a name: `inner` of `A.inner`, `call` of `Shop::Report#call`."""
    if qualified_name.startswith("<"):
        return qualified_name
    return qualified_name.rpartition("#")[2].rpartition("::")[2].rpartition(".")[2] or qualified_name


def _distance(function: FunctionFacts, line: int) -> tuple[int, bool, int]:
    """Lines between a function and a line, whether it comes after (rbspy's lines err that way), and its size.

    The least is the innermost function around the line.
    """
    outside = max(function.first_line - line, line - function.last_line, 0)
    return outside, function.first_line > line, function.lines


def _intervals(functions: Sequence[FunctionFacts]) -> tuple[list[int], list[str | None]]:
    """Lines at which the innermost function changes, and its name from there on."""
    starts: list[int] = []
    names: list[str | None] = []
    open_functions: list[FunctionFacts] = []

    def close_before(line: int) -> None:
        while open_functions and open_functions[-1].last_line < line:
            ended = open_functions.pop()
            starts.append(ended.last_line + 1)
            names.append(open_functions[-1].qualified_name if open_functions else None)

    for function in sorted(functions, key=lambda function: (function.first_line, -function.last_line)):
        close_before(function.first_line)
        starts.append(function.first_line)
        names.append(function.qualified_name)
        open_functions.append(function)
    close_before(2**63)
    return starts, names
