"""Points in time as people write them."""

import re
from datetime import datetime

from pivotscope_collector.errors import UsageError

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
FORMS = "15m, 24h, 7d, or a time such as 2026-11-22T10:00"
_LAST_NS = 2**62


def parse_when(text: str, now_ns: int) -> int:
    """Unix nanoseconds of `text`: so long ago ("15m", "7d"), "now", or an ISO time (local unless it says otherwise).

    Before 1970, and long after our time, there is nothing: such times stand for the first and the last there are.
    """
    if text == "now":
        return now_ns
    ago = re.fullmatch(r"(\d+)([smhdw])", text)
    if ago:
        return max(0, now_ns - int(ago[1]) * UNITS[ago[2]] * 10**9)
    try:
        return min(max(0, int(datetime.fromisoformat(text).astimezone().timestamp() * 1e9)), _LAST_NS)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is no time; expected {FORMS}") from error


def parse_duration(text: str) -> int:
    """Seconds of "90s", "30m", "2h", "1d", "1w"; above 0."""
    found = re.fullmatch(r"(\d+)([smhdw])", text)
    if not found or not int(found[1]):
        raise UsageError(f"{text!r} is no duration; expected a number above 0 and a unit, such as 90s, 30m, 2h, 1d")
    return int(found[1]) * UNITS[found[2]]


def parse_range(text: str, now_ns: int) -> tuple[int, int]:
    """The two ends of `T1..T2`, in order."""
    first, separator, second = text.partition("..")
    if not separator or not first:
        raise UsageError(f"{text!r} is no range; expected T1..T2, each {FORMS}")
    start, end = parse_when(first, now_ns), parse_when(second or "now", now_ns)
    if start >= end:
        raise UsageError(f"{text!r} ends before it starts")
    return start, end
