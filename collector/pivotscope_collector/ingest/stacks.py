"""Functions of the stacks in a group of batches, looked up only for the few that are new to the store."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from pivotscope.profile.function import stack_id as hash_of

from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.store.rows import U32, U64


class Stacks(Mapping[int, U64]):
    """Stack id → function ids, root first. `ids` belong to `numbers` of `owners`, one array of numbers an owner.

    A stack whose number, or a function of it, was given to another since its id was taken is not there: other streams
    may have samples of the same id.
    """

    def __init__(self, ids: U64, numbers: Sequence[U32], owners: Sequence[Dictionary]) -> None:
        self._ids = ids
        self._numbers = numbers
        self._owners = owners
        self._places: dict[int, tuple[Dictionary, int]] | None = None

    def __getitem__(self, stack_id: int) -> U64:
        dictionary, number = self._index()[stack_id]
        functions = dictionary.functions_of(number)
        if hash_of(functions.tolist()) != stack_id:
            raise KeyError(f"stack {number} was defined anew")
        return functions

    def __iter__(self) -> Iterator[int]:
        return iter(self._index())

    def __len__(self) -> int:
        return len(self._index())

    def _index(self) -> dict[int, tuple[Dictionary, int]]:
        if self._places is None:
            distinct, first = np.unique(self._ids, return_index=True)
            numbers = np.concatenate([np.empty(0, np.uint32), *self._numbers])
            ends = np.cumsum([len(one) for one in self._numbers])
            owners = np.searchsorted(ends, first, side="right").tolist()
            places = zip((self._owners[one] for one in owners), numbers[first].tolist(), strict=True)
            self._places = dict(zip(distinct.tolist(), places, strict=True))
        return self._places
