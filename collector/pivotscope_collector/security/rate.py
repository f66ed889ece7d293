"""How often a token may ask."""

from collections.abc import Callable


class Buckets:
    """A token bucket for each key: `rate` calls a second, and as many as `seconds` of it at once.

    Keys are ids of valid tokens, so there are not many.
    """

    def __init__(self, rate: float, now: Callable[[], float], seconds: float = 2.0) -> None:
        self._rate = rate
        self._most = max(1.0, rate * seconds)
        self._now = now
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> float:
        """Seconds to wait before asking again; 0 where this call is within the limit, and counted."""
        now = self._now()
        level, at = self._levels.get(key, (self._most, now))
        level = min(self._most, level + (now - at) * self._rate)
        if level < 1.0:
            self._levels[key] = (level, now)
            return (1.0 - level) / self._rate
        self._levels[key] = (level - 1.0, now)
        return 0.0
