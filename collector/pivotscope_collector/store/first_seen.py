"""When a function was first sampled: from the day to its hour to its minute, so that only days are read whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from pivotscope_collector.store.client import Client, statement
from pivotscope_collector.store.native import numbers
from pivotscope_collector.store.selection import DAY, HOUR, MINUTE
from pivotscope_collector.store.sources import Progress, progress_of

_LEVELS = (("day", DAY), ("hour", HOUR), ("minute", MINUTE))
_FOREVER = 2**32 - 1


@dataclass(frozen=True, slots=True)
class _First:
    """The first bucket with a function, in unix seconds; `size` is 0 where no level has it, `at` where nothing has.

    Every minute that was rolled up by `covered_us` (unix µs) had been looked at, on the day before `day`.
    """

    at: int
    size: int
    covered_us: int
    day: int


class FirstSeen:
    """First moments of functions, remembered until a minute before them is rolled up, or a day has passed.

    Safe to use from several threads. Bounded: when full it forgets all, which costs a question, not a mistake.
    """

    def __init__(self, client: Client, capacity: int = 50_000) -> None:
        self._client = client
        self._capacity = capacity
        self._known: dict[int, _First] = {}

    def of(self, function: int) -> int:
        """Unix seconds at the finest level that reaches back so far; 0 where it was never seen. Raises StoreError.

        Before its first minute is rolled up it is when the function was first stored.
        """
        progress = progress_of(self._client.standing("progress"))
        known = self._known.get(function)
        if known is not None:
            if self._holds(known, progress):
                return known.at
            progress = progress_of(self._client.renewed("progress"))
        found = self._read(function, progress)
        if found.size:
            if len(self._known) >= self._capacity:
                self._known = {}
            self._known[function] = found
        return found.at

    def _holds(self, known: _First, progress: Mapping[str, Progress]) -> bool:
        """Whether the levels cannot say anything else by now: rows come with minutes, and leave with days."""
        if known.day != progress.get("day", Progress()).open_from:
            return False
        bound = {"until": known.at + known.size, "since_us": known.covered_us}
        return not self._client.blocks(statement("rolled_before"), bound)

    def _read(self, function: int, progress: Mapping[str, Progress]) -> _First:
        minute, day = (progress.get(level, Progress()) for level in ("minute", "day"))
        found = finest = since = 0
        until = _FOREVER
        for level, size in _LEVELS:
            sql = Template(statement("first_bucket")).substitute(level=level)
            first = self._first(sql, function, since, until)
            if first:
                found, finest, since, until = first, size, first, first + size
            elif not found:
                # A level holds everything before it was closed last: what it has not came later.
                since = progress.get(level, Progress()).open_from
        if not found:
            found = self._first(statement("first_stored"), function, since, until)
        return _First(found, finest, minute.covered_us, day.open_from)

    def _first(self, sql: str, function: int, since: int, until: int) -> int:
        bound = {"function_id": function, "since": since, "until": until}
        (first,) = numbers(self._client.blocks(sql, bound)["first"]).tolist()
        return int(first)
