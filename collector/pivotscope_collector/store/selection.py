"""What a question is about: a range of time, and pools by name."""

from dataclasses import dataclass

_SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60, 3600, 86_400
NAMES = ("service", "environment", "version", "variant")
LATEST_NS = 2**32 // DAY * DAY * _SECOND
"""The end of the store's times, which are unix seconds in 32 bits: a day in 2106."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What to read: [since_ns, until_ns) in unix nanoseconds, and pools by name; empty names select everything."""

    since_ns: int
    until_ns: int
    service: str = ""
    environment: str = ""
    version: str = ""
    variant: str = ""

    @property
    def since(self) -> int:
        """Start in unix seconds, rounded down to the range's resolution."""
        return self.since_ns // _SECOND // self.resolution * self.resolution

    @property
    def until(self) -> int:
        """End in unix seconds, rounded up to whole minutes."""
        return -(-self.until_ns // (MINUTE * _SECOND)) * MINUTE

    @property
    def resolution(self) -> int:
        """Seconds that `since` is a multiple of."""
        span = (self.until_ns - self.since_ns) // _SECOND
        return DAY if span > 90 * DAY else HOUR if span > 2 * DAY else MINUTE

    @property
    def pools(self) -> str:
        """The names that are given, as a condition on the columns of a pool; their values stay unbound."""
        return " AND ".join(f"{name} = {{{name}:String}}" for name in NAMES if getattr(self, name)) or "1"

    @property
    def raw(self) -> str:
        """A condition on rows of raw tables; its values stay unbound."""
        return f"minute >= {{since:UInt32}} AND minute < {{until:UInt32}} AND {self.pools}"

    def bound(self) -> dict[str, object]:
        """The values of these conditions."""
        return {**{name: getattr(self, name) for name in NAMES}, "since": self.since, "until": self.until}
