"""Ways to print an answer: columns for people, JSON for programs."""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer


class Output(StrEnum):
    """Forms of an answer."""

    TABLE = "table"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Form of the answer.")]


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns as wide as they need, the last one ragged."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[position]) for line in lines) for position in range(len(header))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def document(value: object) -> str:
    """JSON, keys in the order given; what JSON does not know becomes its text."""
    return json.dumps(value, indent=2, default=str)
