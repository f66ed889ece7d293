"""What was read of stretches of time, kept for later questions; bounded by its bytes."""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

_OVERHEAD = 500
"""Bytes of an entry beside its value."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A value of `size` bytes that holds all windows of its stretch that were received by `covered_us` (unix µs)."""

    value: Any
    size: int
    covered_us: int


class Memory:
    """Values by key; those that were not used for longest go first. Safe to use from several threads."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes that are taken."""
        return self._size

    def find(self, keys: Sequence[Hashable]) -> list[Kept | None]:
        """What is kept under each key."""
        with self._lock:
            found = [self._kept.get(key) for key in keys]
            for key, kept in zip(keys, found, strict=True):
                if kept is not None:
                    self._kept.move_to_end(key)
        return found

    def keep(self, entries: Iterable[tuple[Hashable, Kept]]) -> None:
        """Keep these, in place of what was under their keys."""
        with self._lock:
            for key, kept in entries:
                before = self._kept.pop(key, None)
                self._size += kept.size - (before.size if before else -_OVERHEAD)
                self._kept[key] = kept
            while self._size > self._capacity and self._kept:
                _, gone = self._kept.popitem(last=False)
                self._size -= gone.size + _OVERHEAD
