"""Functions of stacks by id, remembered: an id stands for its functions."""

import numpy as np
from numpy.typing import NDArray

from pivotscope_collector.estimates.columns import Ids
from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.native import Ragged, numbers, ragged
from pivotscope_collector.store.reader import Selection, Sources
from pivotscope_collector.store.rows import U64

Flags = NDArray[np.bool_]
_BY_ID = 1_000
"""Stacks that are asked for by id; of more, all that the selection has are read."""


class StackBook:
    """Asks the store for stacks that it has not seen yet, and keeps the others.

    Safe to use from several threads. Bounded: when it holds `capacity` functions it forgets all, which costs a
    question, not a mistake.
    """

    def __init__(self, client: Client, capacity: int = 4_000_000) -> None:
        self._client = client
        self._capacity = capacity
        # Ids ascend; functions of a stack, root first, end at `ends` and are `lengths` many.
        self._known = _Known(*(np.zeros(0, np.uint64) for _ in range(4)))

    def of(self, ids: Ids, selection: Selection, modes: list[str]) -> tuple[Flags, Ragged]:
        """Which of these stacks of a selection, ids ascending, are stored, and the functions of those."""
        known = self._known
        missing = ids[~known.has(ids)]
        if len(missing):
            known = known.joined(self._read(missing, selection, modes))
            # A question takes what it needs; what is kept for the next is bounded.
            self._known = known if len(known.functions) <= self._capacity else _Known.nothing()
        there = known.has(ids)
        return there, known.take(ids[there])

    def _read(self, ids: Ids, selection: Selection, modes: list[str]) -> "_Known":
        bound = reader.bind(selection, Sources(), {"modes": modes, "ids": ids.tolist() if len(ids) <= _BY_ID else []})
        found = self._client.arrays(reader.render("flame_stacks", selection, Sources()), bound)
        if not found:
            return _Known.nothing()
        functions = ragged(found["functions"])
        ends = functions.ends.astype(np.uint64)
        return _Known(numbers(found["stack_id"]), ends, np.diff(ends, prepend=np.uint64(0)), functions.values)


class _Known:
    """Stacks: ids, ascending, where the functions of each end and how many they are; functions, root first."""

    def __init__(self, ids: U64, ends: U64, lengths: U64, functions: U64) -> None:
        order = np.argsort(ids)
        self.ids, self.ends, self.lengths = ids[order], ends[order], lengths[order]
        self.functions = functions

    @classmethod
    def nothing(cls) -> "_Known":
        return cls(*(np.zeros(0, np.uint64) for _ in range(4)))

    def has(self, ids: Ids) -> Flags:
        """Which of the ids are known."""
        if not len(self.ids):
            return np.zeros(len(ids), np.bool_)
        place = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.asarray(self.ids[place] == ids, np.bool_)

    def joined(self, other: "_Known") -> "_Known":
        """The stacks of both."""
        fresh = ~self.has(other.ids)
        ends = other.ends[fresh] + np.uint64(len(self.functions))
        return _Known(
            np.concatenate([self.ids, other.ids[fresh]]),
            np.concatenate([self.ends, ends]),
            np.concatenate([self.lengths, other.lengths[fresh]]),
            np.concatenate([self.functions, other.functions]),
        )

    def take(self, ids: Ids) -> Ragged:
        """The functions of stacks that are known."""
        place = np.searchsorted(self.ids, ids)
        lengths = self.lengths[place].astype(np.int64)
        ends = np.cumsum(lengths)
        # Where each function of the answer stands among all: its stack's first, and its place in the stack.
        first = self.ends[place].astype(np.int64) - lengths
        index = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(first - (ends - lengths), lengths)
        return Ragged(ends.astype(np.uint64), self.functions[index])
