"""Values as people read them."""

from datetime import UTC, datetime
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


def moment(unix_ns: int) -> str:
    """A time, local, to the second."""
    if not unix_ns:
        return "never"
    return datetime.fromtimestamp(unix_ns / 1e9, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def interval_fields(prefix: str, interval: query_pb2.Interval) -> dict[str, Any]:
    """An interval as flat fields, for JSON and CSV."""
    return {prefix: interval.estimate, f"{prefix}_low": interval.low, f"{prefix}_high": interval.high}
