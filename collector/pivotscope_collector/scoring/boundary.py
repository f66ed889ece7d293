"""What a call across the boundary costs, and whether it is worth its cost.

Measured with CPython 3.11, PyO3 0.26, Go 1.26 and Ruby 3.1 on two cores; published figures agree within a factor of
two. Ruby's C calls are built-in methods of a double, Fiddle's the same through libffi. Rows marked reasoned are not
measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import log

from pivotscope.profile.language import Language

from pivotscope_collector.scoring.candidate import Crossing, Quantiles


class Item(StrEnum):
    """What crosses for each element of a collection."""

    NOTHING = "nothing"
    NUMBER = "number"
    STRING = "string"
    RECORD = "record"
    JSON_ROW = "json row"


@dataclass(frozen=True, slots=True)
class Costs:
    """A bridge: nanoseconds a call, and nanoseconds an item by what the items are. Low, middle and high."""

    name: str
    language: Language
    call_ns: Quantiles
    item_ns: Mapping[Item, Quantiles]
    source: str


def _costs(
    name: str, language: Language, call: tuple[float, float], source: str, **items: tuple[float, float]
) -> Costs:
    table = {Item[key.upper()]: _between(*bounds) for key, bounds in items.items()}
    return Costs(name, language, _between(*call), table, source)


def _between(low: float, high: float) -> Quantiles:
    """Low, geometric mean and high: costs spread by factors."""
    return Quantiles(low, (low * high) ** 0.5, high)


PYO3 = _costs(
    "Rust through PyO3",
    Language.PYTHON,
    (30, 61),
    "measured: no-op 30 to 48, two integers 49 to 61; Vec<f64> 6 to 8, dict key and float 14 to 26, String 50 to 80",
    number=(6, 8),
    record=(14, 26),
    string=(50, 80),
)
PYBIND = _costs(
    "C++ through an extension module",
    Language.PYTHON,
    (30, 120),
    "reasoned from PyO3: the same C interface, pybind11 adds a dispatch of overloads",
    number=(6, 10),
    record=(14, 30),
    string=(50, 80),
)
CTYPES = _costs(
    "C through ctypes",
    Language.PYTHON,
    (190, 951),
    "measured: void 190 to 236, two integers 690 to 951; an array copied 135 to 230 an item; a JSON row 1,100 to 7,100",
    number=(135, 230),
    json_row=(1100, 7100),
)
GO_CTYPES = _costs(
    "Go through ctypes",
    Language.PYTHON,
    (283, 1521),
    "measured: void 283 to 411, two integers 760 to 1,521; items as with any library that ctypes calls",
    number=(135, 230),
    json_row=(1100, 7100),
)
RUBY_C = _costs(
    "C extension",
    Language.RUBY,
    (30, 60),
    "measured: a C method of a float 31 to 33, of two 42 to 58; items reasoned from PyO3, the same kind of lookups",
    number=(6, 12),
    record=(14, 40),
    string=(30, 80),
)
MAGNUS = _costs(
    "Rust through magnus",
    Language.RUBY,
    (40, 120),
    "reasoned: a C extension's call and the conversion of its arguments",
    number=(6, 12),
    record=(20, 50),
    string=(50, 100),
)
FIDDLE = _costs(
    "C through Fiddle",
    Language.RUBY,
    (1490, 2033),
    "measured: fabs of a float; arrays are packed first, reasoned from ctypes",
    number=(30, 230),
    json_row=(1100, 7100),
)
SERVICE_CALL = Quantiles(150_000.0, 400_000.0, 1_200_000.0)
"""A call to another process on the same network with its encoding, on the caller's CPU and the server's; reasoned."""

BRIDGES: Mapping[Language, tuple[Costs, ...]] = {
    Language.PYTHON: (PYO3, PYBIND, CTYPES, GO_CTYPES),
    Language.RUBY: (RUBY_C, MAGNUS, FIDDLE),
}


def judge(own_ns: float | None, boundary_ns: float) -> Crossing:
    """Own time a call against the boundary's: 10 times and more is green, 2 and more amber, less red."""
    if own_ns is None:
        return Crossing.UNKNOWN
    times = own_ns / boundary_ns if boundary_ns > 0.0 else float("inf")
    if times >= 10.0:
        return Crossing.GREEN
    return Crossing.AMBER if times >= 2.0 else Crossing.RED


def between_sigma(cost: Quantiles) -> float:
    """Standard deviation of the logarithm of a cost whose low and high are its P10 and P90."""
    return log(cost.p90 / cost.p10) / 2.563 if cost.p10 > 0.0 else 0.0
