"""Roll-ups: closed minutes from raw rows, hours from minutes, days from hours. Harmless to run twice at once."""

from string import Template

from pivotscope_collector.clock import Clock
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Client, statement

_US = 1_000_000
_LEVELS = (("hour", "minute", reader.HOUR), ("day", "hour", reader.DAY))
_COLUMNS = {"pools": reader.POOLS, "functions": reader.FUNCTIONS}
_CHUNK = 30


class RollUp:
    """Brings the roll-ups up to date. Blocks; runs on one thread at a time.

    A window is stamped as received just before it is inserted, so whatever was received more than `margin_seconds` ago
    can be read now. A minute whose last window is younger than that waits for the next run, and is read from raw
    meanwhile; so is a minute that a late window made dirty. Higher levels follow the moments at which minutes were
    rolled up, with the same margin.
    """

    def __init__(
        self, client: Client, clock: Clock, counters: Counters, *, margin_seconds: float, raw_days: int
    ) -> None:
        self._client = client
        self._clock = clock
        self._counters = counters
        self._margin_us = int(margin_seconds * _US)
        self._raw_days = raw_days

    def run(self) -> int:
        """One run over all levels; returns how many minutes were rolled up. Raises StoreError."""
        now_us = self._clock.unix_ns() // 1000
        horizon = now_us - self._margin_us
        closed = now_us // _US // reader.MINUTE * reader.MINUTE
        # Of older minutes a part of the raw rows may have expired: their roll-up stays as it is.
        oldest = now_us // _US // reader.DAY * reader.DAY - (self._raw_days - 1) * reader.DAY
        bound = {"oldest": max(0, oldest), "closed": closed, "horizon": horizon}
        minutes = self._client.query("rollup_minutes", bound)["minute"]
        for start in range(0, len(minutes), _CHUNK):
            self._roll_minutes(minutes[start : start + _CHUNK], horizon)
        self._advance("minute", horizon, closed)
        for level, below, size in _LEVELS:
            self._roll_level(level, below, size, {"oldest": bound["oldest"], "horizon": horizon})
        self._counters.add(Count.MINUTES_ROLLED, len(minutes))
        return len(minutes)

    def _roll_minutes(self, minutes: list[int], horizon: int) -> None:
        revision = self._clock.unix_ns() // 1000
        everything = {"service": "", "environment": "", "version": "", "variant": ""}
        for kind, columns in _COLUMNS.items():
            rows = reader.raw(kind, "minute IN {minutes:Array(UInt32)}")
            self._client.command(
                f"INSERT INTO {kind}_minute ({columns}, revision) SELECT {columns}, {{revision:UInt64}} FROM ({rows})",  # noqa: S608 - no outside text
                {"minutes": minutes, "revision": revision, **everything},
            )
        # Stamped when it is written, not when the chunk began: higher levels look for what is new by this moment.
        count = len(minutes)
        rolled = {
            "minute": minutes,
            "received_until": [horizon] * count,
            "revision": [self._clock.unix_ns() // 1000] * count,
        }
        self._client.insert("rolled", rolled)

    def _roll_level(self, level: str, below: str, size: int, bound: dict[str, int]) -> None:
        starts = self._client.query("rollup_buckets", {"level": level, "size": size, **bound})["start"]
        revision = self._clock.unix_ns() // 1000
        for first in range(0, len(starts), _CHUNK):
            chunk = starts[first : first + _CHUNK]
            for kind, columns in _COLUMNS.items():
                sql = Template(statement(f"rollup_{kind}")).substitute(level=level, below=below, columns=columns)
                self._client.command(
                    sql,
                    {
                        "starts": chunk,
                        "first": chunk[0],
                        "last": chunk[-1] + size,
                        "size": size,
                        "revision": revision,
                    },
                )
        self._advance(level, bound["horizon"], 0)

    def _advance(self, level: str, received_until: int, open_from: int) -> None:
        self._client.insert(
            "progress",
            {
                "level": [level],
                "received_until": [received_until],
                "open_from": [open_from],
                "revision": [received_until],
            },
        )
