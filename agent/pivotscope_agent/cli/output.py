"""Ways to print an answer: columns for people, JSON for programs."""

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from enum import StrEnum


class Output(StrEnum):
    """Forms of an answer."""

    TABLE = "table"
    JSON = "json"


def add_output(parser: ArgumentParser) -> None:
    """The option that chooses the form of the answer."""
    parser.add_argument(
        "--output", "-o", type=Output, choices=tuple(Output), default=Output.TABLE, help="form of the answer"
    )


def say(text: str) -> None:
    """A line for whoever reads standard output; where nobody does any more, the process ends with 1."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer has to go somewhere when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns as wide as they need, the last one ragged."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[position]) for line in lines) for position in range(len(header))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def document(value: object) -> str:
    """JSON, keys in the order given; what JSON does not know becomes its text."""
    return json.dumps(value, indent=2, default=str)
