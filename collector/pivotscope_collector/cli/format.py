"""Values as people read them."""

from datetime import UTC, datetime
from math import floor, log10
from typing import Any

from pivotscope.v1 import query_pb2


def seconds(value: float) -> str:
    """CPU-seconds with three significant digits."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def percent(value: float) -> str:
    """A share as per cent."""
    return f"{100 * value:.1f} %"


def counted(number: int, one: str, several: str = "") -> str:
    """A number of things, named as one or as several; by default with an s."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def signed(difference: float, *of: float) -> str:
    """A difference with its sign and three digits; 0 where it is finer than what three digits of these values tell."""
    finest = min((10.0 ** (floor(log10(abs(value))) - 2) for value in of if value), default=0.0)
    return "0" if abs(difference) <= finest / 2 else f"{difference:+.3g}"


def moment(unix_ns: int) -> str:
    """A time, local, to the second."""
    if not unix_ns:
        return "never"
    return datetime.fromtimestamp(unix_ns / 1e9, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def interval_fields(prefix: str, interval: query_pb2.Interval) -> dict[str, Any]:
    """An interval as flat fields, for JSON and CSV."""
    return {prefix: interval.estimate, f"{prefix}_low": interval.low, f"{prefix}_high": interval.high}
