"""A result as rows, shown on a terminal, in a pipe, as JSON or as CSV."""

import csv
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text


class Output(StrEnum):
    """The forms that every reading command prints."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the key of its raw value, its heading, and how a person reads the value."""

    key: str
    heading: str
    show: Callable[[Any], str] = str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of raw values. JSON and CSV print every key of a row, a table the columns."""

    columns: tuple[Column, ...]
    rows: Sequence[Mapping[str, Any]]
    title: str = ""
    notes: tuple[str, ...] = ()


def write(table: Table, output: Output, file: TextIO | None = None) -> None:
    """Print a table in the wanted form; on a terminal with colours, in a pipe as plain columns."""
    file = file or sys.stdout
    if output is Output.JSON:
        write_json(list(table.rows), file)
    elif output is Output.CSV:
        _write_csv(table, file)
    elif file.isatty():
        _write_rich(table, file)
    else:
        _write_plain(table, file)


def write_json(document: object, file: TextIO | None = None) -> None:
    """Print a document as JSON, with an end of line."""
    json.dump(document, file or sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    (file or sys.stdout).write("\n")


def _write_csv(table: Table, file: TextIO) -> None:
    keys = list(dict.fromkeys(key for row in table.rows for key in row)) or [column.key for column in table.columns]
    writer = csv.DictWriter(file, keys, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table.rows)


def _write_rich(table: Table, file: TextIO) -> None:
    console = Console(file=file)
    shown = RichTable(title=table.title or None, title_justify="left", header_style="bold")
    for column in table.columns:
        shown.add_column(column.heading, justify="right" if column.right else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*(Text(column.show(row[column.key])) for column in table.columns))
    console.print(shown)
    for note in table.notes:
        console.print(Text(note, style="dim"))


def _write_plain(table: Table, file: TextIO) -> None:
    cells = [[column.heading for column in table.columns]]
    cells += [[column.show(row[column.key]) for column in table.columns] for row in table.rows]
    widths = [max(len(row[index]) for row in cells) for index in range(len(table.columns))]
    if table.title:
        file.write(f"{table.title}\n")
    for row in cells:
        aligned = (
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(row, widths, table.columns, strict=True)
        )
        file.write("  ".join(aligned).rstrip() + "\n")
    file.writelines(f"{note}\n" for note in table.notes)
