"""What the collector does with a CPU-second, how long an acknowledgement takes, and what a row costs on disk."""

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio
from pivotscope.v1 import agent_pb2 as pb

from tests.bench import generator
from tests.bench.generator import AGENTS, PROCESSES, SECOND, WINDOWS_A_MINUTE, Generator
from tests.bench.table import Line
from tests.e2e.stack import Running, Stack, cpu_seconds

MINUTES = 2
"""Of the whole fleet, as fast as they are taken."""
PACED_SECONDS = 10.0
"""How long acknowledgements are timed at 70 % of what was taken."""
PACE = 0.7
IN_FLIGHT = 64
METHOD = "/pivotscope.v1.AgentService/Stream"
PROGRAM = Path(__file__).parent / "merge_store.py"
DAY = 86_400


@dataclass(slots=True)
class Stream:
    """One agent's stream: what was sent when, and how long each message waited for its acknowledgement."""

    call: Any
    first: int
    waits: list[float] = field(default_factory=list)

    async def send(self, messages: Sequence[bytes], due: Callable[[int], float] | None = None) -> None:
        """Send, and read acknowledgements beside it; returns when all are acknowledged.

        `due` tells when a message is to be sent: it then waits from that moment on, sent or not.
        """
        if not messages:
            return
        sent: dict[int, float] = {}
        room = asyncio.Semaphore(IN_FLIGHT)
        last = self.first + len(messages) - 1
        reading = asyncio.create_task(self._read(sent, room, last))
        for number, message in enumerate(messages):
            at = time.monotonic()
            if due is not None:
                await asyncio.sleep(max(0.0, due(number) - at))
                at = due(number)
            await room.acquire()
            sent[self.first + number] = at
            await self.call.write(message)
        await reading
        self.first = last + 1

    async def _read(self, sent: dict[int, float], room: asyncio.Semaphore, last: int) -> None:
        done = 0
        while done < last:
            response = pb.StreamResponse.FromString(await self.call.read())
            kind = response.WhichOneof("message")
            if kind == "rejection":
                raise RuntimeError(f"expected an acknowledgement, got {response}")
            if kind == "ack":
                now, done = time.monotonic(), response.ack.sequence
                for sequence in [one for one in sent if one <= done]:
                    self.waits.append(now - sent.pop(sequence))
                    room.release()


def past_noon_ns() -> int:
    """Noon of the day before yesterday, in UTC.

    Its hours and days are over, so that all levels are rolled up, and at no time of day is it within a plan's range:
    runs of a morning and of an afternoon tell the same.
    """
    return (time.time_ns() // (DAY * SECOND) * DAY - DAY - DAY // 2) * SECOND


def measure() -> list[Line]:
    """Send a fleet to a collector until everything is stored, acknowledged and rolled up."""
    minute_ns = past_noon_ns()
    count = int(PROCESSES * WINDOWS_A_MINUTE * MINUTES)
    made = [Generator(number).batches(minute_ns, count) for number in range(AGENTS)]
    everything = sum(generator.rows(messages) for messages, _ in made)
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        collector = stack.collector()
        watch = _Watch(collector.pid)
        before = cpu_seconds(collector.pid)
        speed, waits, stored = asyncio.run(_run(stack.address, made, collector))
        rolled = _wait_for_roll_up(stack, collector)
        peak = watch.stop()
        if collector.stop() != 0:
            raise RuntimeError(collector.said)
        sizes = _merged_sizes(Path(folder) / "data")
    total = sum(size for _, size in sizes.values())
    largest = sorted(sizes, key=lambda name: -sizes[name][1])[:6]
    parts = ", ".join(f"{name} {sizes[name][1] / everything:.1f}" for name in largest)
    if sizes["samples"][0] != everything:
        raise RuntimeError(f"{everything} rows were sent, {sizes['samples'][0]} are stored")
    return [
        Line("ingest: stack rows a CPU-second, stored and acknowledged", f"{everything / (stored - before):,.0f}",
             f"{everything:,} rows of {AGENTS} streams, {speed:,.0f} a second of the clock"),
        Line("ingest: stack rows a CPU-second, roll-ups done", f"{everything / (rolled - before):,.0f}",
             "all CPU since it listened"),
        Line("acknowledgement, p50 and p99, at 70 % of that speed", _quantiles(waits), f"{len(waits):,} messages"),
        Line("collector: memory, peak", f"{peak:.0f} MB", "resident"),
        Line("disk: bytes a stack row, merged, all roll-ups and names in it", f"{total / everything:.1f}", parts),
    ]  # fmt: skip


async def _run(
    address: str, made: Sequence[tuple[list[bytes], list[int]]], collector: Running
) -> tuple[float, list[float], float]:
    """Send the first part at full speed, the rest paced; rows a second of the clock, waits, CPU when all was stored."""
    async with grpc.aio.insecure_channel(address) as channel:
        streams = []
        for number, (_, stacks) in enumerate(made):
            stub: Any = channel
            call = stub.stream_stream(METHOD)()
            await call.write(Generator(number).hello(time.time_ns()))
            await call.read()
            for message in Generator(number).definitions(stacks):
                await call.write(message)
            streams.append(Stream(call, 1))
        quick = int(PROCESSES * WINDOWS_A_MINUTE * MINUTES * 2) // 3
        began = time.monotonic()
        await asyncio.gather(*(one.send(messages[:quick]) for one, (messages, _) in zip(streams, made, strict=True)))
        a_second = quick * AGENTS / (time.monotonic() - began)
        pace = PACE * a_second / AGENTS
        for one in streams:
            one.waits.clear()
        start = time.monotonic()
        paced = int(PACED_SECONDS * pace)
        await asyncio.gather(
            *(
                one.send(messages[quick : quick + paced], _Due(start + number / AGENTS / pace, pace))
                for number, (one, (messages, _)) in enumerate(zip(streams, made, strict=True))
            )
        )
        waits = [wait for one in streams for wait in one.waits]
        await asyncio.gather(
            *(one.send(messages[quick + paced :]) for one, (messages, _) in zip(streams, made, strict=True))
        )
        stored = cpu_seconds(collector.pid)
        for one in streams:
            await one.call.done_writing()
    return a_second * generator.rows(made[0][0][:200]) / 200, waits, stored


@dataclass(frozen=True, slots=True)
class _Due:
    """When each message of a stream is to be sent: `pace` a second."""

    start: float
    pace: float

    def __call__(self, number: int) -> float:
        return self.start + number / self.pace


def _wait_for_roll_up(stack: Stack, collector: Running) -> float:
    """Until days are there and nothing is left to roll up; the collector's CPU then."""
    found: list[float] = []

    def settled() -> bool:
        rows = {row["table"]: row["rows"] for row in stack.cli("collector", "check", "--output", "json").rows["tables"]}
        found.append(cpu_seconds(collector.pid))
        if not rows["functions_day"]:
            # Each look takes the collector 0.2 CPU-seconds, as much as 20,000 rows.
            time.sleep(20.0)
        return bool(rows["functions_day"])

    stack.until(settled, collector, what="everything is rolled up", seconds=300.0)
    return found[-1]


class _Watch:
    """Reads a process's resident memory four times a second."""

    def __init__(self, pid: int) -> None:
        self._file = Path(f"/proc/{pid}/statm")
        self._peak = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(0.25):
            with suppress(FileNotFoundError, ProcessLookupError):
                self._peak = max(self._peak, int(self._file.read_text("ascii").split()[1]) * 4096)

    def stop(self) -> float:
        """The largest, in MB."""
        self._stopped.set()
        self._thread.join()
        return self._peak / 1e6


def _merged_sizes(folder: Path) -> dict[str, tuple[int, int]]:
    done = subprocess.run([sys.executable, PROGRAM, folder], check=True, capture_output=True, text=True, timeout=300)
    return {name: (rows, size) for name, (rows, size) in json.loads(done.stdout).items()}


def _quantiles(waits: Sequence[float]) -> str:
    ordered = sorted(waits)
    return " and ".join(f"{1e3 * ordered[int(part * (len(ordered) - 1))]:.0f} ms" for part in (0.5, 0.99))
