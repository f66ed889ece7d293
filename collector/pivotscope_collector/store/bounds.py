"""What one question may cost: bounds that every statement of it carries to the engine."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from pivotscope_collector.errors import DeadlineError, PivotscopeError, StoreError, TooMuchError

_CODE = re.compile(r"Code: (\d+)")
_TIMEOUT = 159
_TOO_MUCH = {158: "rows", 307: "bytes", 241: "memory"}
_NARROWER = "narrow the range (--since), name a --service, or a --release of it"


@dataclass(frozen=True, slots=True)
class Bounds:
    """`deadline` by the monotonic clock in seconds; rows that a statement may read, memory that it may take."""

    deadline: float
    rows: int
    memory_bytes: int

    @property
    def left(self) -> float:
        """Seconds until the deadline, not below 0."""
        return max(0.0, self.deadline - time.monotonic())


_CURRENT: ContextVar[Bounds | None] = ContextVar("bounds", default=None)


@contextmanager
def within(bounds: Bounds) -> Iterator[None]:
    """Hold every statement in the block, in this thread, to these bounds."""
    token = _CURRENT.set(bounds)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def settings() -> dict[str, int | float | str]:
    """Settings of the next statement; none where nothing is bounded. Raises DeadlineError where time is up."""
    bounds = _CURRENT.get()
    if bounds is None:
        return {}
    if not bounds.left:
        raise DeadlineError(f"time was up before everything was read: {_NARROWER}")
    return {
        "max_execution_time": round(max(0.001, bounds.left), 3),
        "max_rows_to_read": bounds.rows,
        "max_memory_usage": bounds.memory_bytes,
    }


def translated(text: str, location: str, kind: type[StoreError] = StoreError) -> PivotscopeError:
    """The error that the engine's words stand for; `kind` where they are about no bound."""
    found = _CODE.search(text)
    code, bounds = int(found[1]) if found else 0, _CURRENT.get()
    if bounds is not None and code == _TIMEOUT:
        return DeadlineError(f"time was up before everything was read: {_NARROWER}")
    if bounds is not None and code in _TOO_MUCH:
        limits = {"rows": f"{bounds.rows:,} rows", "memory": f"{bounds.memory_bytes >> 20:,} MB of memory"}
        return TooMuchError(
            f"the question takes more than {limits.get(_TOO_MUCH[code], 'it may read')}: {_NARROWER}; "
            "beyond two days whole hours are read, which is cheaper"
        )
    return kind(f"{location}: {text.strip().partition(chr(10))[0]}")
