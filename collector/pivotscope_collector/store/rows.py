"""Rows on their way into the store, as columns where there are many of them."""

from array import array
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Row = tuple[object, ...]
U64 = NDArray[np.uint64]
U32 = NDArray[np.uint32]
Index = NDArray[np.int64]
_HALF = np.uint64(32)
"""Bits."""
_Value = TypeVar("_Value")
_Number = TypeVar("_Number", np.uint64, np.int64)

WINDOW = (
    "minute", "service", "environment", "version", "variant", "language", "mode", "window_id", "agent", "epoch",
    "sequence", "position", "instance", "host", "pid", "process_started_at", "runtime_version", "container", "outcome",
    "reason", "started_at", "agent_started_at", "duration_ns", "rate_hz", "ticks", "late", "errors", "samples",
    "native_samples", "period_ns", "cpu_user_ns", "cpu_system_ns", "gap_cpu_ns", "sampler_cpu_ns", "resident_bytes",
    "proportional_bytes", "read_bytes", "written_bytes", "threads",
    "run_delay_ns",
)  # fmt: skip
"""Columns of a window's tuple; `received_at` is added when it is written."""

FUNCTION = ("function_id", "codebase", "language", "path", "qualified_name", "owner")
SERIES = (
    "series_id", "service", "environment", "version", "variant", "instance", "name", "kind", "role", "unit", "labels",
    "bounds",
)  # fmt: skip
POINT = ("service", "series_id", "at", "start_at", "value", "count", "buckets")
CODE_FUNCTION = (
    "codebase", "language", "path", "qualified_name", "first_line", "last_line", "complexity", "loops", "loop_depth",
    "parameters", "calls", "attributes", "subscripts", "arithmetic", "awaits", "strings", "keyed", "content_hash",
)  # fmt: skip
CODEBASE = ("codebase", "total_files", "total_lines")
AGENT = (
    "agent", "epoch", "host", "agent_version", "abilities", "targets", "clock_offset_ns", "first_seen_at", "seen_at",
    "dropped",
)  # fmt: skip
AGENT_STATUS = ("agent", "received_at", "states", "status")


def _u64() -> U64:
    return np.empty(0, np.uint64)


def _u32() -> U32:
    return np.empty(0, np.uint32)


def _index() -> Index:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Samples:
    """Stacks of windows, each with a line of its leaf (0: unknown); columns of equal length.

    `window` is the row's index into the windows beside it, ascending.
    """

    window: Index = field(default_factory=_index)
    stack_id: U64 = field(default_factory=_u64)
    line: U32 = field(default_factory=_u32)
    count: U32 = field(default_factory=_u32)
    native: U32 = field(default_factory=_u32)

    def ordered(self) -> "Samples":
        """In each window by stack: windows then repeat runs of stacks, which compress.

        By one number, the window above the leading half of the stack id: those few that are alike stay as they came.
        """
        order = np.argsort(self.window.astype(np.uint64) << _HALF | self.stack_id >> _HALF, kind="stable")
        return Samples(
            window=self.window[order],
            stack_id=self.stack_id[order],
            line=self.line[order],
            count=self.count[order],
            native=self.native[order],
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything that one batch, or one group of them, stores.

    `stacks` (id → array of function ids, root first), `functions` and `series` (id → row) hold at least what the rows
    refer to; the writer takes from them what it did not store before. `defined` are ids of stacks that samples to come
    will have: one insert of many costs what one of a few does. Tuples follow the constants above; times are in the
    columns' own units.
    """

    windows: Sequence[Row] = ()
    samples: Samples = field(default_factory=Samples)
    defined: U64 = field(default_factory=_u64)
    stacks: Mapping[int, U64] = field(default_factory=dict)
    functions: Mapping[int, Row] = field(default_factory=dict)
    series: Mapping[int, Row] = field(default_factory=dict)
    points: Sequence[Row] = ()
    code_functions: Sequence[Row] = ()
    codebases: Sequence[Row] = ()
    agents: Sequence[Row] = ()
    statuses: Sequence[Row] = ()

    def __len__(self) -> int:
        many = (self.windows, self.samples.count, self.points, self.code_functions, self.codebases)
        return sum(len(rows) for rows in many) + len(self.agents) + len(self.statuses)


def merge(parts: Sequence[Rows]) -> Rows:
    """One group of the rows of several batches."""
    if len(parts) == 1:
        return parts[0]
    offsets = np.cumsum([0, *(len(part.windows) for part in parts)])
    samples = [part.samples for part in parts]
    return Rows(
        windows=_flat(part.windows for part in parts),
        samples=Samples(
            window=np.concatenate([one.window + offset for one, offset in zip(samples, offsets, strict=False)]),
            stack_id=np.concatenate([one.stack_id for one in samples]),
            line=np.concatenate([one.line for one in samples]),
            count=np.concatenate([one.count for one in samples]),
            native=np.concatenate([one.native for one in samples]),
        ),
        defined=np.concatenate([part.defined for part in parts]),
        stacks=chained([part.stacks for part in parts]),
        functions=chained([part.functions for part in parts]),
        series={key: value for part in parts for key, value in part.series.items()},
        points=_flat(part.points for part in parts),
        code_functions=_flat(part.code_functions for part in parts),
        codebases=_flat(part.codebases for part in parts),
        agents=_flat(part.agents for part in parts),
        statuses=_flat(part.statuses for part in parts),
    )


def chained(maps: Sequence[Mapping[int, _Value]]) -> Mapping[int, _Value]:
    """One view of several maps; batches of a stream share theirs, which is taken once."""
    distinct = list({id(one): one for one in maps}.values())
    return distinct[0] if len(distinct) == 1 else ChainMap(*(cast("dict[int, _Value]", one) for one in distinct))


def _flat(parts: Iterable[Sequence[Row]]) -> list[Row]:
    return [row for part in parts for row in part]


def u32(values: list[int]) -> U32:
    """A list as an array: by way of the standard library's, which takes a third of numpy's time."""
    return np.frombuffer(array("I", values), np.uint32)


def distinct(values: NDArray[_Number]) -> NDArray[_Number]:
    """Distinct values, ascending. By sorting: numpy hashes, which takes far longer where most differ."""
    ordered = np.sort(values)
    different: NDArray[_Number] = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    return different
