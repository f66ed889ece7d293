"""Pages of a list: tokens that hold where the next page begins, and the time that all pages are about."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from google.protobuf.message import Message

from pivotscope_collector.errors import UsageError
from pivotscope_collector.store.selection import LATEST_NS, Selection

LONGEST = 1000
_LONGEST_TOKEN = 400
Row = TypeVar("Row")
Ranges = tuple[tuple[int, int], ...]
"""Each from a moment to before another, in unix nanoseconds."""


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page begins and how long it is. `question` names everything else that was asked."""

    question: str
    start: int
    size: int
    ranges: Ranges

    @property
    def part(self) -> slice:
        """Which of all rows."""
        return slice(self.start, self.start + self.size)

    def cut(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The page of all rows."""
        return rows[self.part]

    def following(self, count: int) -> str:
        """The token of the next page of `count` rows; empty where this is the last."""
        end = self.start + self.size
        return (
            _encode([self.question, end, *(moment for pair in self.ranges for moment in pair)]) if end < count else ""
        )

    def held(self, selections: Sequence[Selection]) -> list[Selection]:
        """The selections over the ranges that the first page had."""
        return [
            replace(one, since_ns=since, until_ns=until)
            for one, (since, until) in zip(selections, self.ranges, strict=True)
        ]


def page_of(request: Message, size: int, default: int, selections: Sequence[Selection] = ()) -> Page:
    """The page that a request asks for. Raises UsageError for a token of another question."""
    if size > LONGEST:
        raise UsageError(f"{size} rows a page: expected at most {LONGEST}; ask for the next page with its token")
    plain = type(request)()
    plain.CopyFrom(request)
    token: str = getattr(request, "page_token")  # noqa: B009 - every paged request has one
    plain.ClearField("page_token")
    question = hashlib.sha256(plain.SerializeToString(deterministic=True)).hexdigest()[:16]
    ranges = tuple((one.since_ns, one.until_ns) for one in selections)
    if not token:
        return Page(question, 0, size or default, ranges)
    known, start, held = _decode(token)
    if known != question or len(held) != len(ranges):
        raise UsageError("the page_token belongs to another question: ask with everything else unchanged")
    return Page(question, start, size or default, held)


def _encode(values: Sequence[str | int]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode()


def _decode(token: str) -> tuple[str, int, Ranges]:
    """The question, the start and the ranges that a token holds. Raises UsageError for one that was not made here."""
    try:
        values = json.loads(base64.urlsafe_b64decode(token.encode())) if len(token) <= _LONGEST_TOKEN else ()
    except ValueError:
        values = ()
    match values:
        case [str(question), start, *moments] if all(_counts(one) for one in (start, *moments)):
            ranges = tuple(zip(moments[::2], moments[1::2], strict=False))
            if len(moments) == 2 * len(ranges) and all(since < until for since, until in ranges):
                return question, start, ranges
    raise UsageError("page_token is none of this service's")


def _counts(value: object) -> bool:
    return type(value) is int and 0 <= value <= LATEST_NS
