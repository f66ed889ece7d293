"""Gathering: observations of about the same moment travel in one batch. Pure."""

from collections.abc import Iterable

from pivotscope_agent.pipeline.encode import Item


class Assembler:
    """Holds items until the oldest has waited `wait_ns`, or until there are `enough`.

    Bounded: beyond `most` items the oldest are given up, which happens only while the disk hangs.
    """

    def __init__(self, *, wait_ns: int = 1_000_000_000, enough: int = 2_000, most: int = 20_000) -> None:
        self._wait_ns = wait_ns
        self._enough = enough
        self._most = most
        self._items: list[Item] = []
        self._since_ns = 0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, items: Iterable[Item], now_ns: int) -> list[Item]:
        """Take items at a moment of the monotonic clock; returns old ones that are given up for them."""
        if not self._items:
            self._since_ns = now_ns
        self._items.extend(items)
        surplus = max(0, len(self._items) - self._most)
        given_up = self._items[:surplus]
        del self._items[:surplus]
        return given_up

    def remaining_ns(self, now_ns: int) -> int | None:
        """Nanoseconds until the items are due: 0 when they are, None when there are none."""
        if not self._items:
            return None
        if len(self._items) >= self._enough:
            return 0
        return max(0, self._since_ns + self._wait_ns - now_ns)

    def take(self) -> list[Item]:
        """All items, in the order in which they came."""
        items, self._items = self._items, []
        return items
