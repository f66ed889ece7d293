"""What was given up, by reason: the totals for ever, and what the collector was not told of yet."""

import threading
from collections import Counter
from collections.abc import Mapping

from pivotscope_agent.telemetry.counters import Count, Counters

BACKLOG, UNENCODABLE, INTERNAL = "backlog", "unencodable", "internal"
PART = "part_"
"""How reasons begin for which the collector left a part out of a record that it stored."""
_OF_ITEMS = frozenset({BACKLOG, UNENCODABLE, INTERNAL})
"""Reasons for which windows, points and facts are given up before they are a record."""


class Drops:
    """Counts by reason. No method blocks: callers may be on the loop's thread while others wait for the disk."""

    def __init__(self, totals: Mapping[str, int], untold: Mapping[str, int]) -> None:
        self.unsaved = False
        self._lock = threading.Lock()
        self._totals = Counter(totals)
        self._untold = Counter(untold)

    def note(self, reason: str, amount: int) -> None:
        """Something was given up."""
        with self._lock:
            self._totals[reason] += amount
            self._untold[reason] += amount
            self.unsaved = True

    def take(self) -> Counter[str]:
        """What is to be told now."""
        with self._lock:
            told, self._untold = self._untold, Counter()
        return told

    def tell_again(self, told: Mapping[str, int]) -> None:
        """What should have told of these did not arrive."""
        with self._lock:
            self._untold.update(told)

    def totals(self) -> dict[str, int]:
        """Everything that was ever given up."""
        with self._lock:
            return dict(self._totals)

    def untold(self) -> Counter[str]:
        """The part of the totals that was not taken to be told."""
        with self._lock:
            return Counter(self._untold)


def go_on_counting(totals: Mapping[str, int], counters: Counters) -> None:
    """Let the agent's counts begin where those of the runs before ended: a restart forgets no drop."""
    for reason, amount in totals.items():
        of_items = reason in _OF_ITEMS or reason.startswith(PART)
        counters.add(Count.ITEMS_DROPPED if of_items else Count.RECORDS_DROPPED, reason, amount)
