"""Roll-ups: closed minutes from raw rows, hours from minutes, days from hours. Harmless to run twice at once."""

from string import Template

from pivotscope_collector.clock import Clock
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Client, statement
from pivotscope_collector.store.expiry import BACKSTOP_DAYS
from pivotscope_collector.store.function_minutes import FunctionMinutes
from pivotscope_collector.store.reception import Reception

_US = 1_000_000
_NS = 1_000_000_000
_LEVELS = {"hour": ("minute", reader.HOUR), "day": ("hour", reader.DAY)}
"""Of what each is made, and its size."""
_NOTHING_OWED = 1 << 62
"""A moment that never comes."""
_COLUMNS = {"pools": reader.POOLS, "functions": reader.FUNCTIONS}
_CHUNK = 30


class RollUp:
    """Brings the roll-ups up to date. Blocks; runs on one thread at a time.

    A window is stamped with the time of reception just before it is inserted, so whatever was received more than
    `margin_seconds` ago can be read now. Which minutes are over is for the wall clock to say. A minute whose last
    window is younger than the margin waits for the next run, and is read from raw meanwhile; so is a minute that a late
    window made dirty. Higher levels follow the moments at which minutes were rolled up, with the same margin, and only
    where their hour or day is over: each is computed once, and again only for late data.

    A look takes the processor from what comes in. So there is none while nothing can be due: what waits, and what came
    since, waits for a margin; once a minute there is one all the same.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        reception: Reception,
        counters: Counters,
        *,
        margin_seconds: float,
        raw_days: int,
    ) -> None:
        self._client = client
        self._clock = clock
        self._reception = reception
        self._counters = counters
        self._margin_us = int(margin_seconds * _US)
        self._raw_days = raw_days
        self._functions = FunctionMinutes(client)
        self._looked_in = -1
        self._owed_us = _NOTHING_OWED
        self._quiet_until_us = 0

    def run(self) -> int:
        """One run over all levels; returns how many minutes were rolled up. Raises StoreError."""
        now = self._clock.unix_ns() // _NS
        closed = now // reader.MINUTE * reader.MINUTE
        received_us = self._reception.now_us()
        owed = self._owed_us <= received_us - self._margin_us
        if received_us < self._quiet_until_us and closed == self._looked_in and not owed:
            return 0
        # Of older minutes a part of the raw rows may be gone: their roll-up stays as it is. Younger ones are whole
        # until they are rolled up, even where they have expired.
        kept = self._raw_days + BACKSTOP_DAYS - 2
        oldest = max(0, now // reader.DAY * reader.DAY - kept * reader.DAY)
        horizon = self._reception.look(self._margin_us)
        due = self._owed_us <= horizon
        found = self._client.query("rollup_minutes", {"oldest": oldest, "closed": closed})
        # Of a minute whose last window is young, more may be on their way.
        seen = list(zip(found["minute"], found["received_us"], strict=True))
        minutes = [minute for minute, received_us in seen if received_us <= horizon]
        for start in range(0, len(minutes), _CHUNK):
            self._roll_minutes(minutes[start : start + _CHUNK], horizon)
        if minutes:
            self._owed_us = self._reception.now_us()
        if due or minutes or closed != self._looked_in:
            self._roll_levels(now, closed, {"oldest": oldest, "horizon": horizon})
            self._looked_in = closed
        if due and not minutes:
            self._owed_us = _NOTHING_OWED
        waiting = [received_us for _, received_us in seen if received_us > horizon]
        self._quiet_until_us = min([horizon + self._margin_us, *waiting]) + self._margin_us
        self._counters.add(Count.MINUTES_ROLLED, len(minutes))
        return len(minutes)

    def _roll_minutes(self, minutes: list[int], horizon: int) -> None:
        revision = self._reception.now_us()
        rows = reader.raw("pools", "minute IN {minutes:Array(UInt32)}")
        self._client.command(
            f"INSERT INTO pools_minute ({reader.POOLS}, revision) "  # noqa: S608 - no outside text
            f"SELECT {reader.POOLS}, {{revision:UInt64}} FROM ({rows})",
            {"minutes": minutes, "revision": revision},
        )
        self._functions.roll(minutes, revision)
        # Stamped when it is written, not when the chunk began: higher levels look for what is new by this moment.
        count = len(minutes)
        rolled = {"minute": minutes, "received_until": [horizon] * count}
        self._reception.stamp(
            lambda written: self._client.insert("rolled", {**rolled, "revision": [written] * count}), self._margin_us
        )

    def _roll_levels(self, now: int, closed: int, bound: dict[str, int]) -> None:
        # By then the last minute of an hour has been rolled up for a margin, where its agents were in time.
        settled = (now * _US - 3 * self._margin_us) // _US - reader.MINUTE
        covered = {level: settled // size * size for level, (_, size) in _LEVELS.items()}
        sizes = [size for _, size in _LEVELS.values()]
        asked = {"levels": list(covered), "sizes": sizes, "opens": list(covered.values()), **bound}
        found = self._client.query("rollup_buckets", asked)
        # One bucket at a time: memory is bounded by what one hour has of functions.
        for level, start in zip(found["level"], found["start"], strict=True):
            self._roll_bucket(level, start)
        self._advance({"minute": closed, **covered}, bound["horizon"])

    def _roll_bucket(self, level: str, start: int) -> None:
        below, size = _LEVELS[level]
        revision = self._reception.now_us()
        for kind, columns in _COLUMNS.items():
            sql = Template(statement(f"rollup_{kind}")).substitute(level=level, below=below, columns=columns)
            bucket = {"starts": [start], "first": start, "last": start + size, "size": size, "revision": revision}
            self._client.command(sql, bucket)

    def _advance(self, covered: dict[str, int], received_until: int) -> None:
        """Note how far each level has got, all at once; where a run fails before, the next finds the same again."""
        self._client.insert(
            "progress",
            {
                "level": list(covered),
                "received_until": [received_until] * len(covered),
                "open_from": list(covered.values()),
                "revision": [self._reception.now_us()] * len(covered),
            },
        )
