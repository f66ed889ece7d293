"""Whose turn it is, where only some processes of a service may be sampled at once."""

from collections import defaultdict

Key = tuple[int, int]


class Turns:
    """Gives turns to those whose last one is longest ago; a process counts from its first question to `forget`."""

    def __init__(self) -> None:
        self._latest: dict[str, dict[Key, int]] = defaultdict(dict)
        self._running: dict[str, set[Key]] = defaultdict(set)
        self._given = 0

    def take(self, service: str, key: Key, at_most: int) -> bool:
        """Take a turn, where `at_most` processes (0: any number) may have one; True: it lasts until `leave`."""
        latest, running = self._latest[service], self._running[service]
        latest.setdefault(key, 0)
        if at_most:
            waiting = sorted((turn, other) for other, turn in latest.items() if other not in running)
            if key not in (other for _, other in waiting[: max(0, at_most - len(running))]):
                return False
        self._given += 1
        latest[key] = self._given
        running.add(key)
        return True

    def leave(self, service: str, key: Key) -> None:
        """A turn is over."""
        if service in self._running:
            self._running[service].discard(key)

    def forget(self, service: str, key: Key) -> None:
        """A process ended."""
        self._running[service].discard(key)
        self._latest[service].pop(key, None)
        if not self._latest[service]:
            del self._latest[service], self._running[service]
