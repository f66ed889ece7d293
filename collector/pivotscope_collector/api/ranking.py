"""Functions of services in the order in which a list shows them; nothing is looked up for those that it does not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pivotscope_collector.estimates.attribution import Attributed
from pivotscope_collector.estimates.columns import Ids
from pivotscope_collector.estimates.pool import Pool
from pivotscope_collector.store import catalogue
from pivotscope_collector.store.client import Client


@dataclass(frozen=True, slots=True)
class Ranked:
    """Functions that match, the first first: (service, id), and their self CPU beside them; that of all others."""

    rows: Sequence[tuple[Pool, int]]
    self_ns: Sequence[float]
    unmatched_ns: float


def rank(client: Client, attributed: Attributed, *, libraries: bool, by_total: bool) -> Ranked:
    """All functions of the services by self or total CPU; without `libraries`, those of codebases only."""
    totals = attributed.totals()
    if not totals:
        return Ranked((), (), 0.0)
    ids = np.concatenate([one.ids for one in totals])
    own = np.concatenate([one.self_ns for one in totals])
    sizes = np.concatenate([one.total_ns for one in totals]) if by_total else own
    service = np.repeat(np.arange(len(totals)), [len(one.ids) for one in totals])
    wanted = np.ones(len(ids), np.bool_) if libraries else owned(client, ids)
    chosen = np.flatnonzero(wanted)
    order = chosen[np.lexsort((ids[chosen], -sizes[chosen]))]
    return Ranked(
        [(totals[service[row]].service, int(ids[row])) for row in order.tolist()],
        own[order].tolist(),
        float(own[~wanted].sum()),
    )


def owned(client: Client, ids: Ids) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of the functions are code of a codebase."""
    return np.isin(ids, catalogue.owned(client, np.unique(ids).tolist()))
