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
from pivotscope_collector.store.rows import U64, distinct

F64 = NDArray[np.float64]
_CELLS = 180_000
"""Windows × functions that are added up at once: what stays in a processor's cache."""
_MEMBERS = 1_000_000
"""Functions of their stacks at once, unless one window has more: about 30 bytes each."""
_WINDOWS = 255
"""Windows at once, at most: as many as a byte counts."""


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

    Rows ascend by pool and function_id. Samples of stacks that are not in the membership count in x alone.
    """
    place = membership.find(sampled.stack_ids)
    owner = np.repeat(np.arange(len(sampled.period)), np.diff(sampled.ends, prepend=0))
    x = np.bincount(owner, sampled.counts, len(sampled.period)) * sampled.period
    known = np.flatnonzero(place >= 0)
    owner, place = owner[known], place[known]
    counts, natives = sampled.counts[known].astype(np.float64), sampled.natives[known].astype(np.float64)
    matrix, pools = membership.matrix(), distinct(sampled.pool).tolist()
    found = []
    for number in pools:
        chosen = sampled.pool == number
        rows = np.flatnonzero(chosen[owner])
        window = (np.cumsum(chosen) - 1)[owner[rows]]
        taken = _Taken(window, place[rows], counts[rows], natives[rows], sampled.period[chosen], x[chosen])
        found.append(_pool(taken, membership, matrix))
    if not found:
        return {}
    return {
        "pool": np.repeat(pools, [len(part["total"]) for part in found]),
        **{name: np.concatenate([part[name] for part in found]) for name in found[0]},
    }


@dataclass(frozen=True, slots=True)
class _Taken:
    """Samples of the windows of one pool, by window, and the windows' period and x; `stack` is a row of the matrix."""

    window: Indices
    stack: Indices
    counts: F64
    natives: F64
    period: F64
    x: F64


def _pool(taken: _Taken, membership: Membership, matrix: csr_array) -> dict[str, NDArray[Any]]:
    used, column = _compact(taken.stack, matrix.shape[0])
    matrix = matrix[used]
    # From here on functions are numbered by those of the pool, in the order of their ids.
    order = membership.order
    members = np.bincount(matrix.indices, minlength=len(order)) > 0
    there = order[members[order]]
    number = np.zeros(len(order), np.int32)
    number[there] = np.arange(len(there))
    shape = (len(used), len(there))
    matrix = csr_array((matrix.data, number[matrix.indices], matrix.indptr), shape=shape)
    leaves = number[membership.leaves[used]]
    # Sums over the windows, a row a stack: exact as long as a pool has fewer than 2^53 samples a minute.
    y = taken.counts * taken.period[taken.window]
    weights = (taken.counts, taken.natives, y, y * taken.x[taken.window])
    sums = [np.bincount(column, one, len(used)) for one in weights]
    total, total_native, total_y, total_xy = (matrix.astype(np.float64).T @ np.stack(sums, axis=1)).T
    own, own_native, own_y, own_xy = (np.bincount(leaves, one, len(there)) for one in sums)
    starts = np.searchsorted(taken.window, np.arange(len(taken.period) + 1)).astype(np.int32)
    samples = csr_array((taken.counts, column.astype(np.int32), starts), shape=(len(taken.period), len(used)))
    total_yy, seen = _squares(samples, taken.period, matrix)
    return {
        "function_id": membership.function_ids[there],
        "self": own, "total": total, "self_native": own_native, "total_native": total_native,
        "self_y": shorten(own_y), "self_yy": shorten(_own_squares(samples, taken.period, leaves, len(there))),
        "self_xy": shorten(own_xy),
        "total_y": shorten(total_y), "total_yy": shorten(total_yy), "total_xy": shorten(total_xy), "windows": seen,
    }  # fmt: skip


def _compact(values: Indices, size: int) -> tuple[Indices, Indices]:
    """Distinct values, ascending, and the place of each value among them; all are below `size`."""
    there = np.bincount(values, minlength=size) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[values]


def _squares(samples: csr_array, period: F64, matrix: csr_array) -> tuple[F64, NDArray[np.int64]]:
    """Sum over the windows of each function's y squared, and in how many windows it was.

    A window has a good part of its pool's functions, so a few windows at a time are added up in a dense block.
    """
    windows, functions = samples.shape[0], matrix.shape[1]
    squares, seen = np.zeros(functions), np.zeros(functions, np.int64)
    sizes = np.diff(matrix.indptr)
    members = np.append(0, np.cumsum(sizes[samples.indices], dtype=np.int64))[samples.indptr]
    weights = np.square(period)
    step = max(1, min(_WINDOWS, _CELLS // max(1, functions)))
    room = np.empty((min(step, windows), functions))
    first = 0
    while first < windows:
        enough = int(np.searchsorted(members, members[first] + _MEMBERS, side="right")) - 1
        last = max(first + 1, min(first + step, enough))
        # Members of the stacks of a window, one after the other: those of several stacks add up as they are spread.
        rows = slice(samples.indptr[first], samples.indptr[last])
        stacks = samples.indices[rows]
        starts = (members[first : last + 1] - members[first]).astype(np.int32)
        counts = np.repeat(samples.data[rows], sizes[stacks])
        spread = csr_array((counts, matrix[stacks].indices, starts), shape=(last - first, functions))
        block = spread.toarray(out=room[: last - first])
        seen += np.add.reduce((block > 0).view(np.uint8), axis=0, dtype=np.uint8)
        np.square(block, out=block)
        # Not by a product of matrices, whose library would start threads of its own.
        squares += np.einsum("i,ij->j", weights[first:last], block)
        first = last
    return squares, seen


def _own_squares(samples: csr_array, period: F64, leaves: NDArray[np.int32], functions: int) -> F64:
    """As `_squares`, of leaves: one member a stack."""
    shape = (samples.shape[0], functions)
    own = csr_array((samples.data.copy(), leaves[samples.indices], samples.indptr.copy()), shape=shape)
    own.sum_duplicates()
    y: F64 = own.data * np.repeat(period, np.diff(own.indptr))
    return np.bincount(own.indices, weights=np.square(y), minlength=functions).astype(np.float64, copy=False)


def shorten(values: NDArray[Any]) -> NDArray[np.float32]:
    """Rounded to 16 bits of mantissa: the last byte is zero, and costs nothing once compressed."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + np.uint32(0x80)) & np.uint32(0xFFFFFF00)).view(np.float32)
