"""From a line to the function around it."""

from collections.abc import Iterable

from pivotscope.profile.facts import FunctionFacts


def enclosing(functions: Iterable[FunctionFacts], line: int) -> FunctionFacts | None:
    """The innermost function whose lines hold `line` (1-based); None where there is none.

    A function's lines begin at its first decorator, as its code object's do. The body of the file itself counts
    as a function (`<module>`, `<main>`), so a line of a readable file is nearly always found.
    """
    around = (entry for entry in functions if entry.first_line <= line <= entry.last_line)
    return max(around, key=lambda entry: (entry.first_line, -entry.last_line), default=None)
