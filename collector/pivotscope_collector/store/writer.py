"""Inserts: one statement a table and group, dictionaries before the rows that need them, windows last."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.store import rows as r
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.native import Column, Ragged
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.rows import Row, Rows, distinct

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

    Windows come last, and bring their samples: whoever sees a window finds all that it refers to. Where the time of
    reception has meanwhile moved on by half of `margin_seconds`, windows are written again with a new moment, for a
    roll-up relies on everything received longer ago than the margin being there.
    """

    def __init__(self, client: Client, reception: Reception, counters: Counters, margin_seconds: float) -> None:
        self._client = client
        self._reception = reception
        self._counters = counters
        self._margin_us = int(margin_seconds * 1_000_000)
        self._known = {table: Known() for table in ("stacks", "functions", "series", "application_functions")}
        self._vouched: dict[int, None] = {}

    def vouch(self, function_id: int) -> None:
        """Store with the next group that somebody who may write a function's codebase calls it the application's own.

        Whoever runs a function defines it, and the last definition stays, but for this. Safe from any thread.
        """
        self._vouched[function_id] = None

    def write(self, rows: Rows) -> None:
        """Store a group; it is there when this returns. Raises StoreError, and then any part of it may be there."""
        now = self._reception.now_us() // 1_000_000
        self._insert_vouched(now)
        self._insert_stacks(rows, now)
        series = self._known["series"].missing(rows.series, now)
        self._insert_rows("series", r.SERIES, [rows.series[key] for key in series], seen_at=now)
        self._known["series"].add(series)
        self._insert_rows("points", r.POINT, rows.points)
        self._insert_rows("code_functions", r.CODE_FUNCTION, rows.code_functions, seen_at=now)
        self._insert_rows("codebases", r.CODEBASE, rows.codebases, seen_at=now)
        self._insert_rows("agents", r.AGENT, rows.agents)
        self._insert_rows("agent_status", r.AGENT_STATUS, rows.statuses)
        if rows.windows:
            self._insert_windows(rows)

    def _insert_vouched(self, now: int) -> None:
        vouched = list(self._vouched.copy())
        fresh = self._known["application_functions"].missing(vouched, now)
        self._insert("application_functions", {"function_id": fresh}, seen_at=now)
        self._known["application_functions"].add(fresh)
        for function_id in vouched:
            del self._vouched[function_id]

    def _insert_stacks(self, rows: Rows, now: int) -> None:
        """Stacks that were not stored today, and before them their functions."""
        offered = np.concatenate([rows.samples.stack_id, rows.defined])
        missing = self._known["stacks"].missing(distinct(offered).tolist(), now)
        found = {key: known for key in missing if (known := rows.stacks.get(key)) is not None}
        if not found:
            return
        stacks, members = list(found), [np.asarray(one, np.uint64) for one in found.values()]
        functions = Ragged(np.cumsum([len(one) for one in members], dtype=np.uint64), np.concatenate(members))
        fresh = self._known["functions"].missing(distinct(functions.values).tolist(), now)
        self._insert_rows("functions", r.FUNCTION, [rows.functions[key] for key in fresh], seen_at=now)
        self._known["functions"].add(fresh)
        self._insert("stacks", {"stack_id": np.array(stacks, np.uint64), "functions": functions}, seen_at=now)
        self._known["stacks"].add(stacks)

    def _insert_windows(self, rows: Rows) -> None:
        samples = rows.samples.ordered()
        ends = np.cumsum(np.bincount(samples.window, minlength=len(rows.windows)), dtype=np.uint64)
        columns: dict[str, Column] = {
            **dict(zip(r.WINDOW, map(list, zip(*rows.windows, strict=True)), strict=True)),
            "stack_ids": Ragged(ends, samples.stack_id),
            "lines": Ragged(ends, samples.line),
            "counts": Ragged(ends, samples.count),
            "natives": Ragged(ends, samples.native),
        }
        times = self._reception.stamp(
            lambda received: self._insert("windows", columns, received_at=received), self._margin_us
        )
        self._counters.add(Count.COMMITS_REPEATED, times - 1)
        self._counters.add(Count.ROWS_STORED, len(samples.count), "samples")

    def _insert_rows(self, table: str, names: Sequence[str], rows: Sequence[Row], **constants: int) -> None:
        if rows:
            self._insert(table, dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)), **constants)

    def _insert(self, table: str, columns: Mapping[str, Column], **constants: int) -> None:
        count = len(next(iter(columns.values())))
        if count:
            self._client.insert(table, {**columns, **{name: [value] * count for name, value in constants.items()}})
            self._counters.add(Count.ROWS_STORED, count, table)
