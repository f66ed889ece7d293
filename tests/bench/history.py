"""Fills a store with the past of a fleet, as the writer and the roll-ups would have: no agents, no waiting."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.store import rows as r
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.rows import Rows, Samples
from pivotscope_collector.store.writer import Writer

from tests.bench.generator import FUNCTIONS, ROWS, code

MINUTE = 60
SECOND = 10**9
VERSIONS = 3
GROUP = 500
"""Windows that are written at once."""
_MIX = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Part:
    """Windows of one service in some minutes (unix seconds), so many a minute, with about so many samples each."""

    service: str
    minutes: Iterable[int]
    windows: int
    samples: int
    versions: int = VERSIONS


class History:
    """Writes parts into a store and rolls them up."""

    def __init__(self, client: Client, raw_days: int) -> None:
        self._client = client
        self._writer = Writer(client, Reception(client, SystemClock()), Counters(), 3600.0)
        self._raw_days = raw_days
        self._random = np.random.default_rng(11)
        self._known: set[int] = set()
        self._window = 0
        self.rows = 0
        self.samples = 0

    def add(self, part: Part) -> None:
        """Write the windows of a part."""
        group: list[tuple[int, int]] = []
        for minute in part.minutes:
            group += [(minute, number) for number in range(part.windows)]
            if len(group) >= GROUP:
                self._write(part, group)
                group = []
        if group:
            self._write(part, group)

    def roll_up(self) -> None:
        """Roll everything up."""
        roll = RollUp(
            self._client,
            SystemClock(),
            Reception(self._client, SystemClock()),
            Counters(),
            margin_seconds=0.1,
            raw_days=self._raw_days,
        )
        for _ in range(3):
            time.sleep(0.15)
            roll.run()

    def _write(self, part: Part, group: list[tuple[int, int]]) -> None:
        random, popularity = self._random, code().popularity
        windows, ids, counts, owner = [], [], [], []
        for place, (minute, number) in enumerate(group):
            stacks = random.permutation(np.unique(np.searchsorted(popularity, random.random(90))))[:ROWS]
            seen = random.geometric(min(1.0, len(stacks) / part.samples), len(stacks))
            windows.append(self._row(part, minute, number, int(seen.sum())))
            ids.append(np.sort(stacks))
            counts.append(seen)
            owner.append(np.full(len(stacks), place))
        numbers = np.concatenate(ids)
        fresh = [one for one in np.unique(numbers).tolist() if one not in self._known]
        self._known.update(fresh)
        samples = Samples(
            np.concatenate(owner),
            _stack_id(numbers),
            np.ones(len(numbers), np.uint32),
            np.concatenate(counts).astype(np.uint32),
            np.zeros(len(numbers), np.uint32),
        )
        self.rows += len(numbers)
        self.samples += int(samples.count.sum())
        self._writer.write(
            Rows(
                windows=windows,
                samples=samples,
                stacks={
                    int(_stack_id(np.array([one]))[0]): _function_ids(code().stacks[one])
                    for one in np.unique(numbers).tolist()
                },
                functions=_functions(),
            )
        )

    def _row(self, part: Part, minute: int, number: int, samples: int) -> r.Row:
        self._window += 1
        millis = minute * 1000 + number * 17 % 60_000
        cpu = samples * 50_000_000
        values: dict[str, object] = {
            "minute": minute, "service": part.service, "environment": "production",
            "version": f"v{number % part.versions}", "variant": "", "language": "python",
            "mode": "active" if number // part.versions % 4 == 0 else "gil",
            "window_id": self._window * _MIX % 2**64, "agent": f"agent-{number % 40}", "epoch": 1,
            "sequence": self._window, "position": 0, "instance": f"{part.service}-{number % 200}",
            "host": f"host-{number % 97}", "pid": 1000 + number % 200, "process_started_at": 1_700_000_000_000,
            "runtime_version": "3.11.7", "container": "", "outcome": "complete", "reason": "", "started_at": millis,
            "agent_started_at": millis, "duration_ns": 10 * SECOND, "rate_hz": 20, "ticks": 200, "late": 0, "errors": 0,
            "samples": samples, "native_samples": 0, "period_ns": 50_000_000, "cpu_user_ns": cpu,
            "cpu_system_ns": cpu // 9, "gap_cpu_ns": 1_000_000, "sampler_cpu_ns": 50_000_000, "resident_bytes": 1 << 28,
            "proportional_bytes": 0, "read_bytes": 0, "written_bytes": 0, "threads": 8, "run_delay_ns": 1_000_000,
        }  # fmt: skip
        return tuple(values[name] for name in r.WINDOW)


def _stack_id(numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> r.U64:
    with np.errstate(over="ignore"):
        return (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(_MIX)


def _function_ids(stack: np.ndarray[tuple[int], np.dtype[np.int64]]) -> r.U64:
    with np.errstate(over="ignore"):
        return stack.astype(np.uint64) * np.uint64(0xD6E8FEB86659FD93)


def _functions() -> dict[int, r.Row]:
    ids = _function_ids(np.arange(FUNCTIONS + 1))
    return {
        int(ids[number]): (
            int(ids[number]), "fleet", "python", f"package_{number % 97}/module_{number % 401}.py",
            f"Class{number % 801}.method_{number}", "application" if number % 3 else "library",
        )
        for number in range(1, FUNCTIONS + 1)
    }  # fmt: skip
