"""How many different names a service, a codebase and a token may bring in a day, and what stands for the rest.

An id or an address that got into a name makes every table, index and page grow without an end. Beyond a bound names are
folded into OTHER, so that CPU stays counted; only series are refused, for a sum of counters would mean nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from pivotscope.profile.function import Owner, function_id
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.clock import Clock
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.settings import NameBounds
from pivotscope_collector.store.taken import Taken

OTHER = "(other)"
"""Stands for names beyond a bound."""

FunctionRow = tuple[int, str, str, str, str, str]
"""Id, codebase, language, path, qualified name, owner."""

_DAY_NS = 86_400 * 10**9
_OF_KEYS = ("services", "environments", "versions", "variants")
"""Kinds of names that the sorting key of windows holds."""
_OF_SERVICES = ("environment", "version", "variant", "instance")


@dataclass(frozen=True, slots=True)
class Reached:
    """A bound that was reached today, and how many definitions beyond it were folded or refused."""

    kind: str
    scope: str
    bound: int
    beyond: int


class Cardinality:
    """Names of this day that this collector has seen, by kind and by whose they are. For the loop's thread.

    Service, environment, version and variant are part of a window's key, so a batch that comes again must find its
    names as they were. So names of the day before stay admitted, beyond a bound too, and a collector that starts
    takes up what the store has.
    """

    def __init__(self, bounds: NameBounds, clock: Clock, counters: Counters) -> None:
        self._bounds = bounds
        self._clock = clock
        self._counters = counters
        self._day = self.today
        self._seen: dict[tuple[str, str], set[int]] = {}
        self._before: dict[tuple[str, str], set[int]] = {}
        self._closed: set[tuple[str, str]] = set()
        self._beyond: Counter[tuple[str, str]] = Counter()

    @property
    def today(self) -> int:
        """Days since 1970."""
        return self._clock.unix_ns() // _DAY_NS

    def take_up(self, stored: Iterable[Taken]) -> None:
        """Go on from the names of the store, before any other comes.

        Where OTHER is among those of today, their bound was reached: then no others are admitted until the day ends.
        """
        for one in stored:
            places = {
                ("services", ""): (one.service,),
                ("environments", one.service): one.environments,
                ("versions", one.service): one.versions,
                ("variants", one.service): one.variants,
            }
            for place, names in places.items():
                self._before.setdefault(place, set()).update(map(_key, names))
                if OTHER in names and one.day >= self._day:
                    self._closed.add(place)

    def admits(self, kind: str, scope: str, key: int) -> bool:
        """Whether a name, by its hash, is within the bound of its kind; one that was once today stays so."""
        seen = self._of_today(kind, scope)
        if key in seen:
            return True
        place = _in_store(kind, scope)
        room = len(seen) < getattr(self._bounds, kind) and place not in self._closed
        if not room and key not in self._before.get(place, ()):
            self._beyond[kind, scope] += 1
            self._counters.add(Count.NAMES_FOLDED, label=kind)
            return False
        seen.add(key)
        return True

    def beyond(self, kind: str, scope: str, keys: Sequence[int]) -> list[int]:
        """Positions of the names that `admits` does not admit; at the cost of a set where there is room for all."""
        seen = self._of_today(kind, scope)
        fresh = set(keys).difference(seen)
        if len(seen) + len(fresh) <= getattr(self._bounds, kind):
            seen.update(fresh)
            return []
        return [position for position, key in enumerate(keys) if not self.admits(kind, scope, key)]

    def reached(self) -> list[Reached]:
        """Bounds that were reached today, on this collector; safe to call from any thread."""
        return [
            Reached(kind, scope, getattr(self._bounds, kind), count)
            for (kind, scope), count in self._beyond.copy().items()
        ]

    def _of_today(self, kind: str, scope: str) -> set[int]:
        day = self.today
        if day != self._day:
            self._before = {}
            for (known, whose), names in self._seen.items():
                if known in _OF_KEYS:
                    self._before.setdefault(_in_store(known, whose), set()).update(names)
            self._day, self._seen, self._beyond, self._closed = day, {}, Counter(), set()
        return self._seen.setdefault((kind, scope), set())


def _in_store(kind: str, scope: str) -> tuple[str, str]:
    """Where a name of earlier is looked for: whose token brought a service is not stored."""
    return kind, "" if kind == "services" else scope


class Names:
    """The names of one stream, folded where they are too many. `token` is who sends."""

    def __init__(self, cardinality: Cardinality, token: str) -> None:
        self._cardinality = cardinality
        self._token = f"token {token}" if token else "all agents"
        self._services: set[str] = set()

    def process(self, message: pb.Process) -> pb.Process:
        """The process with the names that it counts under."""
        folded = list(self._beyond(message))
        self._services.add(OTHER if "service" in folded else message.service)
        if not folded:
            return message
        named = pb.Process()
        named.CopyFrom(message)
        for name in folded:
            setattr(named, name, OTHER)
        return named

    def function(self, row: FunctionRow) -> FunctionRow:
        """The row of a function, or that of the function which stands for the others of its codebase."""
        key, codebase, language = row[:3]
        if not self._admits("codebases", self._token, codebase):
            return other_function(OTHER, language)
        if not self._cardinality.admits("functions", codebase, key):
            return other_function(codebase, language)
        return row

    def stacks_beyond(self, ids: Sequence[int]) -> list[int]:
        """Positions of the stacks that are too many. Streams of several services are bounded by token."""
        scope = next(iter(self._services)) if len(self._services) == 1 else self._token
        return self._cardinality.beyond("stacks", scope, ids)

    def series(self, message: pb.MetricSeries, key: int) -> str:
        """Why a series is not taken; empty where it is."""
        name = next(self._beyond(message), "")
        if name:
            return f"its {name} is beyond the {name}s that may come in a day: is an id part of it?"
        if self._cardinality.admits("series", message.service, key):
            return ""
        return f"{message.service} has brought more series today than a service may: is an id part of a label?"

    def _beyond(self, message: pb.Process | pb.MetricSeries) -> Iterator[str]:
        """Fields with names that are too many; those of a service beyond its bound are counted as OTHER's."""
        service = message.service
        if not self._admits("services", self._token, service):
            yield "service"
            service = OTHER
        for name in _OF_SERVICES:
            value = getattr(message, name)
            if value and not self._admits(f"{name}s", service, value):
                yield name

    def _admits(self, kind: str, scope: str, value: str) -> bool:
        return self._cardinality.admits(kind, scope, _key(value))


@lru_cache(maxsize=10_000)
def _key(value: str) -> int:
    return int.from_bytes(blake2b(value.encode(), digest_size=8).digest(), "big")


def other_function(codebase: str, language: str) -> FunctionRow:
    """The row of the function that stands for others. It is no code of anybody's: never a candidate."""
    return function_id(codebase, language, "", OTHER), codebase, language, "", OTHER, Owner.RUNTIME.value
