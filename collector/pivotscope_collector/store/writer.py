"""Inserts: one statement a table and group, dictionaries before the rows that need them, windows last."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pivotscope_collector.clock import Clock
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.store import rows as r
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.rows import Index, Row, Rows

_POOL = ("minute", "service", "environment", "version", "variant", "language", "mode", "window_id")
_DAY = 86_400


class Known:
    """Ids that this process stored today, so that a stack is written once a day and not once a batch.

    The daily repetition keeps entries in use from expiring. Bounded: when full it forgets all, which costs a
    repetition, not a mistake.
    """

    def __init__(self, capacity: int = 2_000_000) -> None:
        self._capacity = capacity
        self._day = -1
        self._ids: set[int] = set()

    def missing(self, ids: Iterable[int], now: int) -> list[int]:
        """Those of `ids` that were not stored yet on the day of `now`, unix seconds."""
        if now // _DAY != self._day:
            self._day = now // _DAY
            self._ids.clear()
        return [one for one in ids if one not in self._ids]

    def add(self, ids: Sequence[int]) -> None:
        """These are stored."""
        if len(self._ids) + len(ids) > self._capacity:
            self._ids.clear()
        self._ids.update(ids)


class Writer:
    """Writes groups of rows. Not safe to use from several threads at once.

    Windows come last: a roll-up, which looks for windows, then never sees one without its samples. An insert that took
    longer than `margin_seconds` has its windows written again with a new moment of reception, for a roll-up
    relies on everything received longer ago than the margin being there.
    """

    def __init__(self, client: Client, clock: Clock, counters: Counters, margin_seconds: float) -> None:
        self._client = client
        self._clock = clock
        self._counters = counters
        self._margin = margin_seconds
        self._known = {table: Known() for table in ("stacks", "functions", "series")}

    def write(self, rows: Rows) -> None:
        """Store a group; it is there when this returns. Raises StoreError, and then any part of it may be there."""
        now = self._clock.unix_ns() // 1_000_000_000
        stacks = self._missing("stacks", np.unique(rows.samples.stack_id).tolist(), now)
        functions = self._missing("functions", {one for key in stacks for one in rows.stacks[key]}, now)
        series = self._missing("series", rows.series, now)
        self._insert_rows("functions", r.FUNCTION, [rows.functions[key] for key in functions], seen_at=now)
        self._insert("stacks", {"stack_id": stacks, "functions": [rows.stacks[key] for key in stacks]}, seen_at=now)
        self._insert_rows("series", r.SERIES, [rows.series[key] for key in series], seen_at=now)
        for table, ids in (("functions", functions), ("stacks", stacks), ("series", series)):
            self._known[table].add(ids)
        self._insert_rows("points", r.POINT, rows.points)
        self._insert_rows("code_functions", r.CODE_FUNCTION, rows.code_functions, seen_at=now)
        self._insert_rows("codebases", r.CODEBASE, rows.codebases, seen_at=now)
        self._insert_rows("agents", r.AGENT, rows.agents)
        if rows.windows:
            self._insert_windows(rows)

    def _insert_windows(self, rows: Rows) -> None:
        windows = dict(zip(r.WINDOW, map(list, zip(*rows.windows, strict=True)), strict=True))
        samples, lines = rows.samples, rows.lines
        take = _taker(windows, samples.window)
        self._insert(
            "samples",
            {
                **{name: take(name) for name in _POOL},
                "stack_id": samples.stack_id,
                "count": samples.count,
                "native": samples.native,
                "period_ns": take("period_ns"),
            },
        )
        take = _taker(windows, lines.window)
        self._insert(
            "lines",
            {
                **{name: take(name) for name in ("minute", "service", "mode", "version", "window_id")},
                "function_id": lines.function_id,
                "line": lines.line,
                "count": lines.count,
            },
        )
        received = self._clock.unix_ns() // 1000
        started = self._clock.monotonic()
        self._insert("windows", windows, received_at=received)
        while self._clock.monotonic() - started > self._margin / 2:
            self._counters.add(Count.COMMITS_REPEATED)
            received = self._clock.unix_ns() // 1000
            started = self._clock.monotonic()
            self._insert("windows", windows, received_at=received)

    def _missing(self, table: str, ids: Iterable[int], now: int) -> list[int]:
        return self._known[table].missing(ids, now)

    def _insert_rows(self, table: str, names: Sequence[str], rows: Sequence[Row], **constants: int) -> None:
        if rows:
            self._insert(table, dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)), **constants)

    def _insert(self, table: str, columns: dict[str, Any], **constants: int) -> None:
        count = len(next(iter(columns.values())))
        if count:
            self._client.insert(table, {**columns, **{name: [value] * count for name, value in constants.items()}})
            self._counters.add(Count.ROWS_STORED, count, table)


def _taker(windows: dict[str, list[Any]], index: Index) -> Callable[[str], Any]:
    """Gives a column of the windows for rows that refer to them by index; objects are shared, not made."""

    def take(name: str) -> Any:  # noqa: ANN401 - a list of objects, or an array of integers
        column = windows[name]
        if name in {"window_id", "period_ns"}:
            numbers: Any = np.array(column, np.uint64)[index]
            return numbers
        return np.array(column, object)[index].tolist()

    return take
