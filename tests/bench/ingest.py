"""What the collector does with a CPU-second, and what a row costs on disk."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1 import agent_pb2_grpc

from tests.bench.generator import ROWS, Generator
from tests.bench.table import Line
from tests.e2e.stack import Running, Stack, cpu_seconds

AGENTS = 8
PACED, PACE_HZ = 100, 25.0
"""Messages of an agent, and how many a second, while acknowledgements are timed."""
FULL = 1_500
"""Messages of an agent at full speed."""
IN_FLIGHT = 200

PROGRAM = Path(__file__).parent / "merge_store.py"


@dataclass(slots=True)
class Stream:
    """One agent's stream: what was sent when, and how long each message waited for its acknowledgement."""

    call: Any
    generator: Generator
    waits: list[float]

    async def send(self, count: int, first: int, pace_s: float) -> None:
        """Send and read acknowledgements side by side; returns when all are acknowledged."""
        sent: dict[int, float] = {}
        room = asyncio.Semaphore(IN_FLIGHT)
        reading = asyncio.create_task(self._read(sent, room, first + count - 1))
        for number, message in enumerate(self.generator.batches(count, first)):
            if pace_s:
                await asyncio.sleep(pace_s)
            await room.acquire()
            sent[first + number] = time.monotonic()
            await self.call.write(message)
        await reading

    async def _read(self, sent: dict[int, float], room: asyncio.Semaphore, last: int) -> None:
        done = min(sent, default=0)
        while not sent or last in sent or min(sent) <= last:
            response = await self.call.read()
            if not isinstance(response, pb.StreamResponse) or response.WhichOneof("message") != "ack":
                raise RuntimeError(f"expected an acknowledgement, got {response}")
            now = time.monotonic()
            for sequence in [one for one in sent if one <= response.ack.sequence]:
                self.waits.append(now - sent.pop(sequence))
                room.release()
            done = max(done, response.ack.sequence)
            if done >= last:
                return


def measure() -> list[Line]:
    """Send rows to a collector until they are stored, acknowledged and rolled up."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        collector = stack.collector()
        before = cpu_seconds(collector.pid)
        paced = asyncio.run(_send(stack.address, PACED, 1, 1.0 / PACE_HZ))
        cpu = cpu_seconds(collector.pid)
        began = time.monotonic()
        asyncio.run(_send(stack.address, FULL, PACED + 1, 0.0))
        seconds = time.monotonic() - began
        stored = cpu_seconds(collector.pid)
        _wait_for_roll_up(stack, collector)
        rolled = cpu_seconds(collector.pid)
        if collector.stop() != 0:
            raise RuntimeError(collector.said)
        sizes = _merged_sizes(Path(folder) / "data")
    rows = AGENTS * FULL * ROWS
    everything = AGENTS * (FULL + PACED) * ROWS
    total = sum(size for _, size in sizes.values())
    largest = sorted(sizes, key=lambda name: -sizes[name][1])[:6]
    parts = ", ".join(f"{name} {sizes[name][1] / everything:.1f}" for name in largest)
    if sizes["samples"][0] != everything:
        raise RuntimeError(f"{everything} rows were sent, {sizes['samples'][0]} are stored")
    return [
        Line("ingest: stack rows a CPU-second, stored and acknowledged", f"{rows / (stored - cpu):,.0f}",
             f"{rows:,} rows, {rows / seconds:,.0f} a second of the clock"),
        Line("ingest: stack rows a CPU-second, roll-ups done", f"{everything / (rolled - before):,.0f}",
             f"{everything:,} rows, all CPU since it listened"),
        Line("acknowledgement, p50 and p99, 200 messages a second", _quantiles(paced), f"{AGENTS} agents"),
        Line("disk: bytes a stack row, merged, all roll-ups and names in it", f"{total / everything:.1f}", parts),
    ]  # fmt: skip


async def _send(address: str, count: int, first: int, pace_s: float) -> list[float]:
    waits: list[float] = []
    async with grpc.aio.insecure_channel(address) as channel:
        streams = []
        for number in range(AGENTS):
            generator = Generator(number)
            stub: Any = agent_pb2_grpc.AgentServiceStub(channel)
            call = stub.Stream()
            await call.write(generator.hello())
            await call.read()
            await call.write(generator.definitions())
            streams.append(Stream(call, generator, waits))
        await asyncio.gather(*(stream.send(count, first, pace_s) for stream in streams))
        for stream in streams:
            await stream.call.done_writing()
    return waits


def _wait_for_roll_up(stack: Stack, collector: Running) -> None:
    """Until days hold what the last of the minutes brought: two looks a second apart find the same."""
    seen: list[tuple[float, dict[str, int]]] = []

    def settled() -> bool:
        rows = {row["table"]: row["rows"] for row in stack.cli("collector", "check", "--output", "json").rows}
        seen.append((cpu_seconds(collector.pid), rows))
        levels = ("functions_minute", "functions_hour", "functions_day")
        return len(seen) > 3 and all(rows[level] for level in levels) and all(
            older[1] == rows for older in seen[-3:]
        )  # fmt: skip

    stack.until(settled, collector, what="everything is rolled up", seconds=120.0)


def _merged_sizes(folder: Path) -> dict[str, tuple[int, int]]:
    done = subprocess.run([sys.executable, PROGRAM, folder], check=True, capture_output=True, text=True, timeout=120)
    return {name: (rows, size) for name, (rows, size) in json.loads(done.stdout).items()}


def _quantiles(waits: Sequence[float]) -> str:
    ordered = sorted(waits)
    return " and ".join(f"{1e3 * ordered[int(part * (len(ordered) - 1))]:.0f} ms" for part in (0.5, 0.99))
