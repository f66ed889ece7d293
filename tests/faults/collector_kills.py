"""Kill collectors under load at random moments: python -m tests.faults.collector_kills [--kills 50] [--collectors 1].

Eight agents send batches of known sums, resend what was not acknowledged, and some of what was. At the end samples sent
= samples in raw rows = samples in each roll-up, to the unit, in all and by function. With two collectors they share
a ClickHouse over HTTP, and agents switch between them.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.stack import Running, Stack
from tests.faults.collector_agents import SECOND, Agent

AGENTS = 8
DAY = 86_400
_FAST = {
    "PIVOTSCOPE_ROLLUP_SECONDS": "0.5",
    "PIVOTSCOPE_ROLLUP_MARGIN_SECONDS": "2",
    "PIVOTSCOPE_PLAN_SECONDS": "3600",
}
_HERE = Path(__file__).parent


@dataclass(slots=True)
class Outcome:
    """What was sent, what a store holds, and how it went."""

    batches: int
    repeated: int
    streams: int
    sent: dict[str, Any]
    found: dict[str, Any]
    seconds: float
    problems: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Compare; what differs is in `problems`."""
        for level in ("raw", "minute", "hour", "day"):
            for name, value in self.found[level].items():
                if value != self.sent[name]:
                    self.problems.append(f"{level}: {name} {_brief(value)}, sent {_brief(self.sent[name])}")
        if self.found["dirty"]:
            self.problems.append(f"not rolled up: {self.found['dirty']}")

    def __str__(self) -> str:
        sent = self.sent
        return (
            f"{self.batches:,} batches, {self.repeated:,} sent again, {self.streams} streams; "
            f"{sent['windows']:,} windows, {sent['samples']:,} samples; {self.seconds:.0f} s: "
            + ("; ".join(self.problems) or "raw, minutes, hours and days agree to the unit")
        )


def show(kills: int, collectors: int, seed: int, pace_s: float = 0.04) -> Outcome:
    """Run it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        chance = random.Random(seed)
        environment = dict(_FAST)
        where = f"{folder}/data"
        if collectors > 1:
            where = _front(stack)
            environment["PIVOTSCOPE_CLICKHOUSE_URL"] = where
        fleet = _Fleet(stack, environment, collectors, chance)
        # Yesterday, so that hours and days are over.
        start_ns = (time.time_ns() // (DAY * SECOND) * DAY - DAY // 2) * SECOND
        agents = [Agent(number, start_ns, fleet.address, seed) for number in range(AGENTS)]
        asyncio.run(_load(fleet, agents, kills, pace_s))
        found = _settled(fleet, where)
    totals: Counter[str] = Counter()
    for agent in agents:
        totals.update(agent.sums.totals)
    sent = {
        "windows": sum(agent.sums.windows for agent in agents),
        "samples": sum(agent.sums.samples for agent in agents),
        "totals": dict(totals),
    }
    outcome = Outcome(
        batches=sum(agent.sums.batches for agent in agents),
        repeated=sum(agent.repeated for agent in agents),
        streams=sum(agent.streams for agent in agents),
        sent=sent,
        found=found,
        seconds=time.monotonic() - began,
    )
    outcome.check()
    return outcome


class _Fleet:
    """Collectors that are killed and started again, each on a port of its own."""

    def __init__(self, stack: Stack, environment: dict[str, str], count: int, chance: random.Random) -> None:
        self._stack = stack
        self._environment = environment
        self._chance = chance
        self._running: list[tuple[str, Running]] = [self._start() for _ in range(count)]

    def address(self) -> str:
        """One of those that run."""
        return self._chance.choice(self._running)[0]

    def kill_one(self) -> None:
        """Kill one of them with SIGKILL, and start another in its place."""
        place = self._chance.randrange(len(self._running))
        process = self._running[place][1].process
        process.kill()
        process.wait()
        self._running[place] = self._start()

    def stop(self) -> None:
        """End all in order."""
        for _, running in self._running:
            if running.stop() != 0:
                raise AssertionError(running.said)

    def start(self) -> None:
        """Start as many again."""
        self._running = [self._start() for _ in self._running]

    def _start(self) -> tuple[str, Running]:
        running = self._stack.collector(environment=self._environment)
        return self._stack.address, running


async def _load(fleet: _Fleet, agents: list[Agent], kills: int, pace_s: float) -> None:
    ending = asyncio.Event()
    chance = random.Random(kills)
    tasks = [asyncio.create_task(agent.run(ending, pace_s)) for agent in agents]
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.05, 2.0))
        await asyncio.to_thread(fleet.kill_one)
    await asyncio.sleep(1.0)
    ending.set()
    async with asyncio.timeout(120):
        await asyncio.gather(*tasks)


def _settled(fleet: _Fleet, where: str) -> dict[str, Any]:
    """What the store holds once nothing is left to roll up, or after five looks."""
    found: dict[str, Any] = {}
    for _ in range(5):
        time.sleep(8.0)
        fleet.stop()
        program = [sys.executable, str(_HERE / "collector_store.py"), where]
        done = subprocess.run(program, check=True, capture_output=True, text=True, timeout=120)
        found = json.loads(done.stdout)
        if not found["dirty"] and found["day"]["windows"] == found["raw"]["windows"]:
            break
        fleet.start()
    return found


def _front(stack: Stack) -> str:
    """Start a ClickHouse over HTTP; its address."""
    port_file = stack.folder / "front-port"
    program: list[str | Path] = [
        sys.executable,
        "-m",
        "tests.faults.clickhouse_front",
        stack.folder / "front",
        port_file,
    ]
    front = stack.start("front", program)
    stack.until(port_file.exists, front, what="the front listens")
    return f"http://127.0.0.1:{port_file.read_text('ascii')}/default?compress=false"


def _brief(value: object) -> str:
    return f"{len(value)} functions" if isinstance(value, dict) else str(value)


def main(run: Callable[[int, int, int], Outcome] = show) -> int:
    """Print one line; 1 where anything differs."""
    options = argparse.ArgumentParser(prog="python -m tests.faults.collector_kills", description=__doc__)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--collectors", type=int, default=1)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    outcome = run(chosen.kills, chosen.collectors, chosen.seed)
    sys.stdout.write(f"{chosen.kills} kills, {chosen.collectors} collectors: {outcome}\n")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
