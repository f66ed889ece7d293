"""Lists of any length, page by page."""

from collections.abc import Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

from pivotscope_collector.cli.connection import Call

PAGE = 1000
"""Rows that the collector gives at once, at most."""
Answer = TypeVar("Answer", bound=Message)


def pages(method: Callable[..., Answer], request: Any, call: Call, field: str, most: int) -> Answer:  # noqa: ANN401 - any paged request
    """The first `most` rows of a list as one answer; everything but the rows is the last page's."""
    rows: list[Any] = []
    while True:
        answer = method(request, metadata=call.metadata, timeout=call.timeout)
        rows += getattr(answer, field)
        token: str = getattr(answer, "next_page_token", "")
        if not token or len(rows) >= most:
            break
        request.page_token = token
    answer.ClearField(field)
    getattr(answer, field).extend(rows[:most])
    return answer
