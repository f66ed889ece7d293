"""The one table that the benchmark prints."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """What was measured, the figure, and how."""

    name: str
    figure: str
    how: str = ""


def render(lines: Sequence[Line]) -> str:
    """Aligned columns."""
    wide = max(len(line.name) for line in lines)
    figures = max(len(line.figure) for line in lines)
    return "\n".join(f"{line.name:{wide}}  {line.figure:>{figures}}  {line.how}".rstrip() for line in lines)
