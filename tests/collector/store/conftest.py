"""Windows as rows, made by hand, and a clock that tests set."""

import itertools
import time
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from pivotscope_collector.counters import Counters
from pivotscope_collector.store import rows as r
from pivotscope_collector.store import schema
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.writer import Writer

MINUTE = 60
MARGIN = 30.0


class SetClock:
    """Stands still until a test moves it; starts at noon (UTC) of yesterday. Its wall clock is `ahead` by seconds."""

    def __init__(self) -> None:
        self.now = float(int(time.time()) // 86_400 * 86_400 - 43_200)
        self.ahead = 0.0

    def unix_ns(self) -> int:
        return int((self.now + self.ahead) * 1e9)

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def store(any_client: Client) -> Client:
    """A store with nothing in it: the whole suite runs embedded, over HTTP, and on a real server where one is named."""
    schema.migrate(any_client)
    return any_client


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def reception(store: Client, clock: SetClock) -> Reception:
    return Reception(store, clock)


@pytest.fixture
def writer(store: Client, reception: Reception) -> Writer:
    return Writer(store, reception, Counters(), MARGIN)


@pytest.fixture
def roll_up(store: Client, clock: SetClock, reception: Reception) -> RollUp:
    return RollUp(store, clock, reception, Counters(), margin_seconds=MARGIN, raw_days=14)


MakeRows = Callable[..., r.Rows]


@pytest.fixture
def window_rows(clock: SetClock) -> MakeRows:
    """Makes one window with samples: {stack of ids: count} or {…: (count, native)}; keywords replace columns."""
    numbers = itertools.count(1)

    def make(stacks: Mapping[tuple[int, ...], int | tuple[int, int]] | None = None, **columns: object) -> r.Rows:
        pairs = {key: (value, 0) if isinstance(value, int) else value for key, value in (stacks or {}).items()}
        ids = {key: abs(hash(key)) for key in pairs}
        text = ("service", "environment", "version", "variant", "agent", "instance", "host", "reason")
        defaults: dict[str, object] = dict.fromkeys(r.WINDOW, 0) | dict.fromkeys(
            (*text, "runtime_version", "container"), ""
        )
        defaults |= {
            "minute": int(clock.now) // MINUTE * MINUTE,
            "service": "shop",
            "language": "python",
            "mode": "gil",
            "outcome": "complete",
            "window_id": next(numbers),
            "pid": 7,
            "duration_ns": 10_000_000_000,
            "samples": sum(count for count, _ in pairs.values()),
            "native_samples": sum(native for _, native in pairs.values()),
            "period_ns": 50_000_000,
        }
        many = len(pairs)
        return r.Rows(
            windows=[tuple({**defaults, **columns}[name] for name in r.WINDOW)],
            samples=r.Samples(
                window=np.zeros(many, np.int64),
                stack_id=np.array([ids[key] for key in pairs], np.uint64),
                line=np.zeros(many, np.uint32),
                count=np.array([count for count, _ in pairs.values()], np.uint32),
                native=np.array([native for _, native in pairs.values()], np.uint32),
            ),
            stacks={ids[key]: np.array(key, np.uint64) for key in pairs},
            functions={
                one: (one, "shop", "python", "app.py", f"f{one}", "application") for key in pairs for one in key
            },
        )

    return make
