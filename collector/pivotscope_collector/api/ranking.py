"""Functions of services in the order in which a list shows them; nothing is looked up for those that it does not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.function import Function

from pivotscope_collector.api.pages import Page
from pivotscope_collector.estimates.attribution import Attributed, attribute_columns
from pivotscope_collector.estimates.columns import Ids
from pivotscope_collector.estimates.pool import Pool
from pivotscope_collector.estimates.share import Vector
from pivotscope_collector.store import catalogue
from pivotscope_collector.store.catalogue import Names
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.first_seen import FirstSeen
from pivotscope_collector.store.recall import Recall
from pivotscope_collector.store.selection import Selection
from pivotscope_collector.store.stacks import StackBook
from pivotscope_collector.store.totals import Pools, whole

Flags = NDArray[np.bool_]
_CALLED = 10_000
"""Names of functions that are remembered."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Functions that match, the first first: number of the service, id and self CPU of each; that of all others."""

    services: Sequence[Pool]
    service: NDArray[np.int64]
    ids: Ids
    self_ns: Vector
    unmatched_ns: float

    def __len__(self) -> int:
        return len(self.ids)

    def page(self, page: Page) -> list[tuple[Pool, int]]:
        """Service and id of those on a page."""
        numbers = self.service[page.part].tolist()
        return [(self.services[one], key) for one, key in zip(numbers, self.ids[page.part].tolist(), strict=True)]


class Owners:
    """Which functions are code of a codebase: asked once of the store, for a function never changes its owner.

    Safe to use from several threads. Bounded: when full it forgets all, which costs a question, not a mistake.
    """

    def __init__(self, client: Client, capacity: int = 1_000_000) -> None:
        self._client = client
        self._capacity = capacity
        self._known = (np.zeros(0, np.uint64), np.zeros(0, np.bool_))

    def own(self, ids: Ids) -> Flags:
        """A flag a function."""
        known, flags = self._known
        place = np.searchsorted(known, ids)
        if len(known) and (known[np.minimum(place, len(known) - 1)] == ids).all():
            seen: Flags = flags[place]
            return seen
        wanted = np.unique(ids)
        missing = np.setdiff1d(wanted, known, assume_unique=True)
        if len(missing):
            found = np.isin(missing, catalogue.owned(self._client, missing.tolist()))
            if len(known) + len(missing) > self._capacity:
                known, flags = known[:0], flags[:0]
                missing, found = wanted, np.isin(wanted, catalogue.owned(self._client, wanted.tolist()))
            known, place = np.unique(np.concatenate([known, missing]), return_index=True)
            flags = np.concatenate([flags, found])[place]
            self._known = (known, flags)
        mask: Flags = flags[np.searchsorted(known, ids)]
        return mask


class Known:
    """What questions remember: what ids of functions and stacks stand for, and what stretches of time hold."""

    def __init__(self, client: Client, remembered_mb: int) -> None:
        self.owners = Owners(client)
        self.names = Names(client)
        self.stacks = StackBook(client)
        self.recall = Recall(client, remembered_mb << 20)
        self.first_seen = FirstSeen(client)
        self._called: dict[str, tuple[int, Function]] = {}

    def called(self, name: str) -> tuple[int, Function] | None:
        """The function that a name, or the end of one, stood for last; it may stand for another by now, or for more."""
        return self._called.get(name)

    def call(self, name: str, found: tuple[int, Function]) -> None:
        """Remember what a name stands for."""
        if len(self._called) >= _CALLED:
            self._called = {}
        self._called[name] = found


def attributed(known: Known, selection: Selection) -> tuple[Pools, Attributed]:
    """Pools of a selection, and their CPU by function. Raises StoreError."""
    return whole(known.recall, selection, lambda pools, functions: (pools, attribute_columns(pools.sums, functions)))


def rank(owners: Owners, found: Attributed, *, libraries: bool, by_total: bool) -> Ranked:
    """All functions of the services by self or total CPU; without `libraries`, those of codebases only."""
    totals = found.totals()
    if not totals:
        return Ranked((), np.zeros(0, np.int64), np.zeros(0, np.uint64), np.zeros(0), 0.0)
    ids = np.concatenate([one.ids for one in totals])
    own = np.concatenate([one.self_ns for one in totals])
    sizes = np.concatenate([one.total_ns for one in totals]) if by_total else own
    service = np.repeat(np.arange(len(totals)), [len(one.ids) for one in totals])
    wanted = np.ones(len(ids), np.bool_) if libraries else owners.own(ids)
    chosen = np.flatnonzero(wanted)
    order = chosen[np.lexsort((ids[chosen], -sizes[chosen]))]
    services = [one.service for one in totals]
    return Ranked(services, service[order], ids[order], own[order], float(own[~wanted].sum()))
