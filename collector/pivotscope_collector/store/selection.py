"""What a question is about: a range of time, and pools by name."""

from collections.abc import Container
from dataclasses import dataclass

_SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60, 3600, 86_400
NAMES = ("service", "environment", "version", "variant")
LATEST_NS = 2**32 // DAY * DAY * _SECOND
"""The end of the store's times, which are unix seconds in 32 bits: a day in 2106."""


@dataclass(frozen=True, slots=True)
class Kept:
    """From when on minutes and hours are kept, in unix seconds: a whole hour, a whole day. Before, there are days."""

    minutes: int = 0
    hours: int = 0

    def at(self, moment: int) -> int:
        """Seconds of the finest buckets that are kept of a moment."""
        return DAY if moment < self.hours else HOUR if moment < self.minutes else MINUTE


@dataclass(frozen=True, slots=True)
class Selection:
    """What to read: [since_ns, until_ns) in unix nanoseconds, and pools by name.

    None selects everything; an empty name those windows that carry none, but for the service, which all of them have.

    Either end is widened to whole buckets that are `kept`, so that nothing of the range is left out.
    """

    since_ns: int
    until_ns: int
    service: str = ""
    environment: str | None = None
    version: str | None = None
    variant: str | None = None
    kept: Kept = Kept()

    @property
    def since(self) -> int:
        """Start in unix seconds, rounded down to the range's resolution."""
        return self.since_ns // _SECOND // self.resolution * self.resolution

    @property
    def until(self) -> int:
        """End in unix seconds, rounded up to whole minutes, or to what is kept of them."""
        size = self.kept.at((self.until_ns - 1) // _SECOND)
        return -(-self.until_ns // (size * _SECOND)) * size

    @property
    def told_until_ns(self) -> int:
        """The end as answers tell it: as it was asked for, where that is the minute that is read last."""
        end_ns = self.until * _SECOND
        return self.until_ns if end_ns - self.until_ns < MINUTE * _SECOND else end_ns

    @property
    def resolution(self) -> int:
        """Seconds that `since` is a multiple of: by the length of the range, and by what is kept of its start."""
        span = (self.until_ns - self.since_ns) // _SECOND
        wanted = DAY if span > 90 * DAY else HOUR if span > 2 * DAY else MINUTE
        return max(wanted, self.kept.at(self.since_ns // _SECOND))

    @property
    def names(self) -> dict[str, str]:
        """The names that are given."""
        values = (self.service or None, self.environment, self.version, self.variant)
        return {name: value for name, value in zip(NAMES, values, strict=True) if value is not None}

    @property
    def pools(self) -> str:
        """The names that are given, as a condition on the columns of a pool; their values stay unbound."""
        return condition(self.names)

    @property
    def raw(self) -> str:
        """A condition on rows of raw tables; its values stay unbound."""
        return f"minute >= {{since:UInt32}} AND minute < {{until:UInt32}} AND {self.pools}"

    def bound(self) -> dict[str, object]:
        """The values of these conditions."""
        return {**self.names, "since": self.since, "until": self.until}


def condition(given: Container[str]) -> str:
    """That the columns of a pool have the names that are given; their values stay unbound."""
    return " AND ".join(f"{name} = {{{name}:String}}" for name in NAMES if name in given) or "1"
