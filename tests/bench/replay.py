"""Whether the collector's memory stays where it is: hours of load, sent as fast as they are taken."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import grpc.aio
import numpy as np

from tests.bench import generator
from tests.bench.generator import WINDOWS_A_MINUTE, Generator
from tests.bench.ingest import METHOD, Stream, past_noon_ns
from tests.bench.table import Line
from tests.e2e.stack import Running, Stack

AGENTS, PROCESSES = 8, 50
MINUTES = 480
STEPS = 24
"""How often memory is looked at; the first third is left to warm up: roll-ups begin half a minute after the load."""


def measure(minutes: int = MINUTES) -> list[Line]:
    """Send it in parts, each acknowledged before the next is made."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        collector = stack.collector()
        began = time.monotonic()
        rows, resident = asyncio.run(_replay(stack.address, collector, minutes))
        taken = time.monotonic() - began
        if collector.stop() != 0:
            raise RuntimeError(collector.said)
    settled = np.array(resident[STEPS // 3 :])
    hours = np.arange(len(settled)) / STEPS * minutes / 60
    growth = float(np.polyfit(hours, settled, 1)[0])
    return [
        Line(
            f"collector: memory over {minutes} minutes of load",
            f"{growth:+.0f} MB an hour of it",
            f"{rows:,} rows of {AGENTS * PROCESSES} processes in {taken:.0f} s; MB after each of {STEPS} parts: "
            + ", ".join(f"{one:.0f}" for one in resident),
        )
    ]


async def _replay(address: str, collector: Running, minutes: int) -> tuple[int, list[float]]:
    """Rows that were sent, and resident MB after each part."""
    # Yesterday: nothing else is there, and all of it is rolled up as it comes.
    minute_ns = past_noon_ns()
    count = PROCESSES * WINDOWS_A_MINUTE * minutes // STEPS
    rows, resident = 0, []
    async with grpc.aio.insecure_channel(address) as channel:
        fleet = [Generator(number, processes=PROCESSES) for number in range(AGENTS)]
        streams = [await _open(channel, one) for one in fleet]
        known: list[set[int]] = [set() for _ in fleet]
        for part in range(STEPS):
            sending = []
            for one, stream, defined in zip(fleet, streams, known, strict=True):
                messages, stacks = one.batches(minute_ns, count, first=1 + part * count)
                for message in one.definitions(sorted(set(stacks) - defined)):
                    await stream.call.write(message)
                defined.update(stacks)
                rows += generator.rows(messages)
                sending.append(stream.send(messages))
            await asyncio.gather(*sending)
            resident.append(_resident_mb(collector.pid))
        for stream in streams:
            await stream.call.done_writing()
    return rows, resident


async def _open(channel: Any, agent: Generator) -> Stream:
    call = channel.stream_stream(METHOD)()
    await call.write(agent.hello(time.time_ns()))
    await call.read()
    return Stream(call, 1)


def _resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * 4096 / 1e6
