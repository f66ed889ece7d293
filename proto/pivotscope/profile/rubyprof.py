"""Text of ruby-prof's flat and graph printers.

ruby-prof measures wall time unless told otherwise; the header says which clock. Functions of C have no location.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pivotscope.profile.calls import CallEdge, CallFunction, CallProfile, Clock
from pivotscope.profile.errors import ProfileFormatError, excerpt
from pivotscope.profile.frame import Frame
from pivotscope.profile.language import Language

TOOL = "ruby-prof"
_CLOCKS = {"wall_time": Clock.WALL, "process_time": Clock.CPU, "cpu_time": Clock.CPU}
_HEADER = re.compile(r"(Measure Mode|Thread ID|Fiber ID|Total(?: Time)?|Sort by): *(.*)$")
_NUMBER = r"([0-9]{1,15}(?:\.[0-9]{1,30})?)"
_MAX_LINE = 4_096
_TIMES = rf"{_NUMBER} +{_NUMBER} +{_NUMBER} +{_NUMBER}"
_FLAT = re.compile(rf" *{_NUMBER} +{_TIMES} +([0-9]+) +(\*?)(\S+)(?: +(\S.*?))? *$")
_METHOD = re.compile(rf" *{_NUMBER}% +{_NUMBER}% +{_TIMES} +([0-9]+) +(\*?)(\S+)(?: +(\S.*?))? *$")
_RELATED = re.compile(rf" +{_TIMES} +([0-9]+)/([0-9]+) +(\*?)(\S+)(?: +(\S.*?))? *$")
_RULE = re.compile(r"-{20,}$")
_SINGLETON = re.compile(r"<(?:Class|Module|Object)::(?P<owner>[^>]*)>#(?P<method>.*)$")


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a table. `related` are rows of a graph's callers and callees."""

    name: str
    location: str
    total: float
    own: float
    calls: int
    related: bool = False


def parse_rubyprof(text: str) -> CallProfile:
    """Parse either printer's output. Threads and fibers are added up, in order of first sight."""
    clock: Clock | None = None
    total = 0.0
    rows: list[_Row | None] = []  # None stands for a rule between two methods of a graph
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("* recursively called"):
            rows.append(None)
        elif header := _HEADER.match(line):
            key, value = header.groups()
            if key == "Measure Mode":
                clock = _clock(value.strip(), number)
            elif key.startswith("Total"):
                total += _number(value, number)
        elif _RULE.match(line):
            rows.append(None)
        elif row := _row(line):
            rows.append(row)
    if clock is None:
        raise ProfileFormatError(TOOL, "no 'Measure Mode:' in the header", line=1)
    functions = _functions(rows)
    if not functions:
        raise ProfileFormatError(TOOL, "no method is listed; the flat and the graph printers' text are read")
    return CallProfile(TOOL, Language.RUBY, clock, total, functions)


def _clock(mode: str, number: int) -> Clock:
    if mode not in _CLOCKS:
        problem = f"measure mode {excerpt(mode)} is no time; profile with {', '.join(_CLOCKS)}"
        raise ProfileFormatError(TOOL, problem, line=number)
    return _CLOCKS[mode]


def _number(text: str, number: int) -> float:
    if re.fullmatch(_NUMBER, text.strip()) is None:
        raise ProfileFormatError(TOOL, f"the total {excerpt(text)} is no number of seconds", line=number)
    return float(text)


def _row(line: str) -> _Row | None:
    if len(line) > _MAX_LINE:
        return None
    if match := _METHOD.match(line):
        _, _, total, own, _, _, calls, _, name, location = match.groups()
        return _Row(name, location or "", float(total), float(own), _count(calls))
    if match := _RELATED.match(line):
        total, own, _, _, calls, _, _, name, location = match.groups()
        return _Row(name, location or "", float(total), float(own), _count(calls), related=True)
    if match := _FLAT.match(line):
        _, total, own, _, _, calls, _, name, location = match.groups()
        return _Row(name, location or "", float(total), float(own), _count(calls))
    return None


def _count(digits: str) -> int:
    return int(digits[:18])


def _functions(rows: Iterable[_Row | None]) -> tuple[CallFunction, ...]:
    entries = [(method, callers) for method, callers in _methods(rows)]
    frames = {method.name: _frame(method) for method, _ in reversed(entries)}
    merged: dict[str, CallFunction] = {}
    for method, callers in entries:
        edges = tuple(CallEdge(frames.get(row.name) or _frame(row), row.calls, row.own, row.total) for row in callers)
        known = merged.get(method.name)
        added = CallFunction(frames[method.name], method.calls, method.calls, method.own, method.total, edges)
        merged[method.name] = _add(known, added) if known else added
    return tuple(merged.values())


def _methods(rows: Iterable[_Row | None]) -> Iterator[tuple[_Row, list[_Row]]]:
    """Each method with the rows above it, which are its callers; rows below it until the next rule are callees."""
    callers: list[_Row] = []
    seen = False
    for row in rows:
        if row is None:
            callers, seen = [], False
        elif not row.related:
            yield row, callers
            callers, seen = [], True
        elif not seen:
            callers.append(row)


def _add(one: CallFunction, other: CallFunction) -> CallFunction:
    return CallFunction(
        one.frame,
        one.calls + other.calls,
        one.primitive_calls + other.primitive_calls,
        one.self_seconds + other.self_seconds,
        one.total_seconds + other.total_seconds,
        one.callers + other.callers,
    )


def _frame(row: _Row) -> Frame:
    path, separator, line = row.location.rpartition(":")
    located = bool(separator) and line.isascii() and line.isdigit() and len(line) <= 9
    return Frame(
        qualified_name(row.name),
        path if located else row.location,
        int(line) if located else 0,
        native=not row.location,
    )


def qualified_name(name: str) -> str:
    """ruby-prof's name as it is elsewhere: `<Class::Shop>#total` → `Shop.total`, `[global]#` → `<main>`."""
    if name.startswith("[global]#"):
        return "<main>"
    if match := _SINGLETON.match(name):
        owner = "main" if match["owner"] == "Object" and name.startswith("<Object") else match["owner"]
        return f"{owner}.{match['method']}"
    return name
