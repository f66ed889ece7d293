import csv
import io
import json
from typing import Any

from pivotscope_collector.reports.table import Column, Output, Table, write

COLUMNS = (Column("name", "function"), Column("cpu", "CPU s", "{:.1f}".format, right=True))
ROWS: list[dict[str, Any]] = [{"name": "a, b", "cpu": 12.34, "hidden": 1}, {"name": 'q"', "cpu": 0.5, "hidden": 2}]


def printed(output: Output, rows: list[dict[str, Any]], notes: tuple[str, ...] = ()) -> str:
    file = io.StringIO()
    write(Table(COLUMNS, rows, "A title", notes), output, file)
    return file.getvalue()


def test_a_pipe_gets_aligned_columns_without_colour() -> None:
    assert printed(Output.TABLE, ROWS, ("A note.",)) == (
        'A title\nfunction  CPU s\na, b       12.3\nq"          0.5\nA note.\n'
    )


def test_json_keeps_raw_values_and_every_key() -> None:
    assert json.loads(printed(Output.JSON, ROWS)) == ROWS


def test_csv_quotes_what_needs_it() -> None:
    read = list(csv.DictReader(io.StringIO(printed(Output.CSV, ROWS))))
    assert [row["name"] for row in read] == ["a, b", 'q"']
    assert read[0]["cpu"] == "12.34"


def test_no_rows_are_an_empty_list_and_a_header() -> None:
    assert json.loads(printed(Output.JSON, [])) == []
    assert printed(Output.CSV, []) == "name,cpu\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_markup_in_values_is_text() -> None:
    file = Terminal()
    write(Table(COLUMNS, [{"name": "[red]x[/red]", "cpu": 1.0}]), Output.TABLE, file)
    assert "[red]x[/red]" in file.getvalue()
