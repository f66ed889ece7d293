"""From samples of windows to sums and moments of functions: what functions_minute holds. Pure.

y = samples × period of a function in a window, x = all samples × period of the window. A function counts once a stack,
however often it recurs in it. The same sums as in sql/functions_raw.sql, at a tenth of the cost: sums and xy are linear
in the stacks, so windows are added up before stacks are taken apart; only yy needs the functions of each window.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pivotscope_collector.store.membership import Indices, Membership
from pivotscope_collector.store.rows import U64

F64 = NDArray[np.float64]
_WINDOWS = 500
"""Windows whose functions are in memory at once: about 30 MB, and a few milliseconds a step."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Windows with samples: `pool` numbers from 0, `period` in ns; samples of window i end at `ends[i]`."""

    pool: Indices
    period: F64
    ends: Indices
    stack_ids: U64
    counts: NDArray[np.uint32]
    natives: NDArray[np.uint32]


def fold(sampled: Sampled, membership: Membership) -> dict[str, NDArray[Any]]:
    """Columns of functions_minute from function_id to windows, and `pool`; a row a pool and function seen in it.

    Samples of stacks that are not in the membership count in x alone.
    """
    matrix = membership.matrix()
    pools = [_pool(_take(sampled, number), membership, matrix) for number in np.unique(sampled.pool).tolist()]
    numbers = [np.full(len(part["total"]), number) for number, part in zip(np.unique(sampled.pool), pools, strict=True)]
    if not pools:
        return {}
    return {
        "pool": np.concatenate(numbers),
        **{name: np.concatenate([part[name] for part in pools]) for name in pools[0]},
    }


def _take(sampled: Sampled, pool: int) -> Sampled:
    """The windows of one pool."""
    chosen = sampled.pool == pool
    lengths = np.diff(sampled.ends, prepend=0)
    rows = np.repeat(chosen, lengths)
    return Sampled(
        pool=sampled.pool[chosen],
        period=sampled.period[chosen],
        ends=np.cumsum(lengths[chosen]),
        stack_ids=sampled.stack_ids[rows],
        counts=sampled.counts[rows],
        natives=sampled.natives[rows],
    )


def _pool(sampled: Sampled, membership: Membership, matrix: csr_array) -> dict[str, NDArray[Any]]:
    windows = len(sampled.period)
    owner = np.repeat(np.arange(windows), np.diff(sampled.ends, prepend=0))
    x = np.bincount(owner, sampled.counts, windows) * sampled.period
    place = membership.find(sampled.stack_ids)
    known = place >= 0
    owner, place = owner[known], place[known]
    counts, natives = sampled.counts[known].astype(np.float64), sampled.natives[known].astype(np.float64)
    y = counts * sampled.period[owner]
    used, column = np.unique(place, return_inverse=True)
    matrix, leaves = matrix[used], membership.leaves[used]
    functions = matrix.shape[1]
    # Sums over the windows, a row a stack: exact as long as a pool has fewer than 2^53 samples a minute.
    sums = [np.bincount(column, weights, len(used)) for weights in (counts, natives, y, y * x[owner])]
    total, total_native, total_y, total_xy = (matrix.T @ np.stack(sums, axis=1)).T
    own, own_native, own_y, own_xy = (np.bincount(leaves, weights, functions) for weights in sums)
    total_yy, seen = _squares(owner, column, y, windows, matrix)
    # An array of its own for leaves: one member a stack.
    leaf = csr_array((np.ones(len(used)), leaves, np.arange(len(used) + 1)), shape=matrix.shape)
    own_yy, _ = _squares(owner, column, y, windows, leaf)
    there = np.flatnonzero(total)
    columns = {
        "self": own, "total": total, "self_native": own_native, "total_native": total_native,
        "self_y": shorten(own_y), "self_yy": shorten(own_yy), "self_xy": shorten(own_xy),
        "total_y": shorten(total_y), "total_yy": shorten(total_yy), "total_xy": shorten(total_xy), "windows": seen,
    }  # fmt: skip
    return {"function_id": membership.function_ids[there], **{name: values[there] for name, values in columns.items()}}


def _squares(owner: Indices, column: Indices, y: F64, windows: int, matrix: csr_array) -> tuple[F64, Indices]:
    """Sum over the windows of each function's y squared, and in how many windows it was."""
    functions = matrix.shape[1]
    squares, seen = np.zeros(functions), np.zeros(functions, np.int64)
    for first in range(0, windows, _WINDOWS):
        begin, end = np.searchsorted(owner, (first, first + _WINDOWS))
        starts = np.searchsorted(owner[begin:end], np.arange(first, min(windows, first + _WINDOWS) + 1))
        shape = (len(starts) - 1, matrix.shape[0])
        part = csr_array((y[begin:end], column[begin:end], starts), shape=shape) @ matrix
        squares += np.bincount(part.indices, part.data**2, functions)
        seen += np.bincount(part.indices, minlength=functions)
    return squares, seen


def shorten(values: NDArray[Any]) -> NDArray[np.float32]:
    """Rounded to 16 bits of mantissa: the last byte is zero, and costs nothing once compressed."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + np.uint32(0x80)) & np.uint32(0xFFFFFF00)).view(np.float32)
