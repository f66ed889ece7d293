"""Which functions stacks hold, as a sparse matrix that grows."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pivotscope_collector.store.rows import U64, distinct

Indices = NDArray[np.int64]


class Membership:
    """Stacks × functions: 1 where a function is in a stack, however often; and each stack's leaf.

    Rows are in the order of addition; `order` has the functions in that of their ids. Not safe to use from several
    threads at once.
    """

    def __init__(self) -> None:
        self.function_ids: U64 = np.empty(0, np.uint64)
        self.leaves: Indices = np.empty(0, np.int64)
        self._sorted: U64 = np.empty(0, np.uint64)
        self._rows: Indices = np.empty(0, np.int64)
        self._sorted_functions: U64 = np.empty(0, np.uint64)
        self.order: Indices = np.empty(0, np.int64)
        self._starts: NDArray[np.int32] = np.zeros(1, np.int32)
        self._members: NDArray[np.int32] = np.empty(0, np.int32)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, stack_ids: U64) -> Indices:
        """Row of each stack; -1 where it is not there."""
        return _look_up(stack_ids, self._sorted, self._rows)

    def matrix(self) -> csr_array:
        """Stacks × functions."""
        ones = np.ones(len(self._members), np.int8)
        return csr_array((ones, self._members, self._starts), shape=(len(self), len(self.function_ids)))

    def add(self, stack_ids: U64, ends: NDArray[np.uint64], functions: U64) -> None:
        """Add distinct stacks that are not there yet: their function ids, root first, end at `ends` in `functions`."""
        fresh = distinct(functions[self._find_functions(functions) < 0])
        if len(fresh):
            self.function_ids = np.concatenate([self.function_ids, fresh])
            self.order = np.argsort(self.function_ids)
            self._sorted_functions = self.function_ids[self.order]
        members = self._find_functions(functions)
        last = ends.astype(np.int64)
        leaves = members[last - 1]
        owner = np.searchsorted(last, np.arange(len(members)), side="right")
        owner, members = _distinct(owner, members, len(self.function_ids))
        starts = np.cumsum(np.bincount(owner, minlength=len(stack_ids)))
        self._starts = np.concatenate([self._starts, (self._starts[-1] + starts).astype(np.int32)])
        self._members = np.concatenate([self._members, members.astype(np.int32)])
        self.leaves = np.concatenate([self.leaves, leaves])
        rows = np.concatenate([self._rows, np.arange(len(self), len(self) + len(stack_ids))])
        known = np.concatenate([self._sorted, stack_ids])
        order = np.argsort(known)
        self._sorted, self._rows = known[order], rows[order]

    def _find_functions(self, functions: U64) -> Indices:
        return _look_up(functions, self._sorted_functions, self.order)


def _look_up(wanted: U64, ordered: U64, rows: Indices) -> Indices:
    if not len(ordered):
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return np.where(ordered[place] == wanted, rows[place], -1)


def _distinct(owner: Indices, members: Indices, functions: int) -> tuple[Indices, Indices]:
    """Each function once a stack."""
    keys = distinct(owner * functions + members)
    return keys // functions, keys % functions
