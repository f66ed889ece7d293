"""Functions of stacks by id, remembered: an id stands for its functions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pivotscope_collector.estimates.columns import Ids, find, union
from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.native import numbers, ragged
from pivotscope_collector.store.reader import Selection, Sources
from pivotscope_collector.store.rows import U64

Indices = NDArray[np.int64]
_BY_ID = 1_000
"""Stacks that are asked for by id; of more, all that the selection has are read."""


@dataclass(frozen=True, slots=True)
class Found:
    """Stacks: the functions of each are the `lengths[i]` from `functions[starts[i]]` on, root first."""

    starts: Indices
    lengths: Indices
    functions: Ids


class StackBook:
    """Asks the store for stacks that it has not seen yet, and keeps the others.

    Safe to use from several threads. Bounded: when it holds `capacity` functions it forgets all, which costs a
    question, not a mistake.
    """

    def __init__(self, client: Client, capacity: int = 4_000_000) -> None:
        self._client = client
        self._capacity = capacity
        self._known = _Known.nothing()

    def of(self, *asked: tuple[Ids, Selection, list[str]]) -> tuple[Ids, Found]:
        """Those of some stacks that are stored: their ids, which ascend, and their functions. Raises StoreError.

        Asked are ids, which ascend, with the selection that has them and its pairs of language and mode.
        """
        known = self._known
        for ids, selection, modes in asked:
            missing = ids[~known.has(ids)]
            if len(missing):
                known = known.joined(self._read(missing, selection, modes))
                # A question takes what it needs; what is kept for the next is bounded.
                self._known = known if len(known.functions) <= self._capacity else _Known.nothing()
        wanted = union([ids for ids, _, _ in asked])
        wanted = wanted[known.has(wanted)]
        return wanted, known.take(wanted)

    def _read(self, ids: Ids, selection: Selection, modes: list[str]) -> "_Known":
        bound = reader.bind(selection, Sources(), {"modes": modes, "ids": ids.tolist() if len(ids) <= _BY_ID else []})
        found = self._client.arrays(reader.render("flame_stacks", selection, Sources()), bound)
        if not found:
            return _Known.nothing()
        functions = ragged(found["functions"])
        ends = functions.ends.astype(np.int64)
        lengths = np.diff(ends, prepend=0)
        return _Known(numbers(found["stack_id"]), ends - lengths, lengths, functions.values)


class _Known:
    """Stacks: ids, ascending, where the functions of each start and how many they are; functions, root first."""

    def __init__(self, ids: U64, starts: Indices, lengths: Indices, functions: U64) -> None:
        order = np.argsort(ids)
        self.ids, self.starts, self.lengths = ids[order], starts[order], lengths[order]
        self.functions = functions

    @classmethod
    def nothing(cls) -> "_Known":
        return cls(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint64))

    def has(self, ids: Ids) -> NDArray[np.bool_]:
        """Which of the ids are known."""
        return find(self.ids, ids)[1]

    def joined(self, other: "_Known") -> "_Known":
        """The stacks of both."""
        fresh = ~self.has(other.ids)
        return _Known(
            np.concatenate([self.ids, other.ids[fresh]]),
            np.concatenate([self.starts, other.starts[fresh] + len(self.functions)]),
            np.concatenate([self.lengths, other.lengths[fresh]]),
            np.concatenate([self.functions, other.functions]),
        )

    def take(self, ids: Ids) -> Found:
        """The functions of stacks that are known."""
        place = np.searchsorted(self.ids, ids)
        return Found(self.starts[place], self.lengths[place], self.functions)
