import asyncio
import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import grpc
import pytest
from grpc import aio
from pivotscope.profile.facts import CodebaseFacts, FileFacts, FunctionFacts
from pivotscope.profile.function import Function
from pivotscope.profile.language import Language
from pivotscope.profile.metric import MetricKind, MetricPoint, MetricRole, MetricSeries
from pivotscope.profile.window import Mode, Outcome, Process, Sample, Usage, Window
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1.agent_pb2_grpc import AgentServiceServicer, add_AgentServiceServicer_to_server
from pivotscope_agent.pipeline.channel import Endpoint
from pivotscope_agent.pipeline.export import Exporter, Identity
from pivotscope_agent.pipeline.files import Files
from pivotscope_agent.pipeline.opening import open_spool
from pivotscope_agent.pipeline.spool import Spool, SpoolSettings
from pivotscope_agent.telemetry.counters import Counters

Eventually = Callable[[Callable[[], object]], Awaitable[None]]
"""The fixture: waits until a condition holds."""


class FakeClock:
    """A clock that stands still; sleeping moves it and gives way to other tasks."""

    def __init__(self) -> None:
        self.wall = 1_700_000_000_000_000_000
        self.mono = 0
        self.slept: list[float] = []

    def unix_ns(self) -> int:
        return self.wall

    def monotonic_ns(self) -> int:
        return self.mono

    def advance(self, seconds: float) -> None:
        self.wall += int(seconds * 1e9)
        self.mono += int(seconds * 1e9)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0.002)


class FailingFiles(Files):
    """Files whose calls fail with a chosen errno while they are named in `failing`."""

    def __init__(self) -> None:
        self.failing: dict[str, int] = {}
        self.synced = 0

    def fail(self, code: int, *calls: str) -> None:
        self.failing = dict.fromkeys(calls, code)

    def _check(self, call: str) -> None:
        if call in self.failing:
            code = self.failing[call]
            raise OSError(code, os.strerror(code))

    def make_folder(self, folder: Path) -> None:
        self._check("make_folder")
        super().make_folder(folder)

    def create_append(self, path: Path) -> int:
        self._check("create")
        return super().create_append(path)

    def write(self, descriptor: int, data: bytes) -> None:
        if self.failing.get("write") == errno.ENOSPC:
            super().write(descriptor, data[: len(data) // 2])
        self._check("write")
        super().write(descriptor, data)

    def read(self, path: Path, offset: int = 0, length: int = -1) -> bytes:
        self._check("read")
        return super().read(path, offset, length)

    def truncate(self, path: Path, length: int) -> None:
        self._check("truncate")
        super().truncate(path, length)

    def sync(self, descriptor: int) -> None:
        self._check("sync")
        super().sync(descriptor)
        self.synced += 1

    def remove(self, path: Path) -> None:
        self._check("remove")
        super().remove(path)

    def reserve(self, path: Path, length: int) -> None:
        self._check("reserve")
        super().reserve(path, length)

    def overwrite(self, path: Path, data: bytes, *, sync: bool) -> None:
        """In the room that the file has: a disk without free space takes it."""
        self._check("overwrite")
        failing, self.failing = self.failing, {}
        try:
            super().overwrite(path, data, sync=sync)
        finally:
            self.failing = failing


Behaviour = Callable[["FakeCollector", pb.Batch], Awaitable[pb.StreamResponse | None]]


async def acknowledge(_: "FakeCollector", batch: pb.Batch) -> pb.StreamResponse | None:
    return pb.StreamResponse(ack=pb.Ack(sequence=batch.sequence))


class FakeCollector(AgentServiceServicer):
    """A collector that keeps a dictionary a stream as the contract says, and answers as it is told."""

    def __init__(self) -> None:
        self.token = ""
        self.too_many = 0
        self.behaviour: Behaviour = acknowledge
        self.welcome = pb.Welcome(max_in_flight=4, max_message_bytes=4_000_000)
        self.controls: list[pb.Control] = []
        self.hellos: list[pb.Hello] = []
        self.streams: list[list[pb.StreamRequest]] = []
        self.batches: list[pb.Batch] = []
        self.stored: dict[int, list[tuple[str, tuple[str, ...]]]] = {}

    async def Stream(self, request_iterator: AsyncIterator[pb.StreamRequest], context: aio.ServicerContext) -> None:  # type: ignore[override,type-arg]  # noqa: N802
        await self._admit(context)
        requests: list[pb.StreamRequest] = []
        self.streams.append(requests)
        names: dict[int, str] = {}
        stacks: dict[int, tuple[str, ...]] = {}
        processes: dict[int, str] = {}
        async for request in request_iterator:
            requests.append(request)
            match request.WhichOneof("message"):
                case "hello":
                    self.hellos.append(request.hello)
                    await context.write(pb.StreamResponse(welcome=self.welcome))
                    for control in self.controls:
                        await context.write(pb.StreamResponse(control=control))
                case "definitions":
                    processes |= {one.id: one.instance for one in request.definitions.processes}
                    names |= {one.id: one.qualified_name for one in request.definitions.functions}
                    for stack in request.definitions.stacks:
                        stacks[stack.id] = tuple(names[number] for number in stack.functions)
                case "batch":
                    batch = request.batch
                    self.batches.append(batch)
                    rows = [(processes[w.process], stacks[s]) for w in batch.windows for s in w.stacks]
                    response = await self.behaviour(self, batch)
                    if response is not None and response.WhichOneof("message") == "ack":
                        self.stored[batch.sequence] = rows
                    if response is not None:
                        await context.write(response)

    async def _admit(self, context: aio.ServicerContext) -> None:  # type: ignore[type-arg]  # generic in the stubs only
        metadata = dict(context.invocation_metadata() or ())
        if self.token and metadata.get("authorization") != f"Bearer {self.token}":
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "unknown token")
        if self.too_many:
            self.too_many -= 1
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "asks too often")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def files() -> FailingFiles:
    return FailingFiles()


@pytest.fixture
def open_(tmp_path: Path, clock: FakeClock, counters: Counters, files: FailingFiles) -> Callable[..., Spool]:
    """Open the spool of the test's folder, with bounds given by name."""

    def make(**bounds: float) -> Spool:
        settings = SpoolSettings(folder=tmp_path / "spool", **bounds)  # type: ignore[arg-type]
        return open_spool(settings, counters=counters, clock=clock, files=files)

    return make


@pytest.fixture
def record() -> Callable[..., tuple[pb.Definitions, pb.Batch]]:
    """A record with one window of one stack, and as many bytes more as asked for."""

    def make(name: str = "work", padding: int = 0) -> tuple[pb.Definitions, pb.Batch]:
        definitions = pb.Definitions(
            processes=[pb.Process(id=1, service="shop", instance="a", pid=7)],
            functions=[pb.Function(id=1, qualified_name="main"), pb.Function(id=2, qualified_name=name)],
            stacks=[pb.Stack(id=1, functions=[1, 2])],
        )
        window = pb.Window(process=1, stacks=[1], counts=[3], lines=[0], native_counts=[0], reason="x" * padding)
        return definitions, pb.Batch(windows=[window])

    return make


@pytest.fixture
def fake_collector() -> type[FakeCollector]:
    """Makes a collector that no server serves yet."""
    return FakeCollector


@pytest.fixture
async def collector(tmp_path: Path) -> AsyncIterator[FakeCollector]:
    server = aio.server()
    fake = FakeCollector()
    add_AgentServiceServicer_to_server(fake, server)
    server.add_insecure_port(f"unix:{tmp_path}/collector.sock")
    await server.start()
    yield fake
    await server.stop(0)


@pytest.fixture
async def exporter(tmp_path: Path, clock: FakeClock, counters: Counters) -> AsyncIterator[Callable[..., Exporter]]:
    """Make an exporter towards the test's collector; closed at the end of the test."""
    made: list[Exporter] = []

    def make(spool: Spool, *, token_file: Path | None = None, on_command: Callable[..., None] = print) -> Exporter:
        one = Exporter(
            Endpoint(f"unix:{tmp_path}/collector.sock", token_file),
            Identity("agent-1", "0.1.0", "host-1", ("python",)),
            spool,
            counters=counters,
            clock=clock,
            random=Random(7),
            targets=lambda: 3,
            on_command=on_command,
        )
        made.append(one)
        return one

    yield make
    for one in made:
        await one.close(0)


class Sending:
    """A spool, and the exporter that sends what is in it to the test's collector."""

    def __init__(self, spool: Spool, exporter: Exporter, record: Callable[..., Any], eventually: Eventually) -> None:
        self.spool = spool
        self.exporter = exporter
        self._record = record
        self._eventually = eventually

    def add(self, count: int = 1, **kinds: object) -> None:
        """Spool so many records alike."""
        for _ in range(count):
            self.spool.append(*self._record(**kinds))

    async def done(self) -> None:
        """Send, and wait until all of it is done with."""
        self.exporter.start()
        await self._eventually(lambda: self.spool.pending() == 0)


@pytest.fixture
def sending(
    open_: Callable[..., Spool],
    exporter: Callable[..., Exporter],
    record: Callable[..., Any],
    eventually: Eventually,
) -> Sending:
    spool = open_()
    return Sending(spool, exporter(spool), record, eventually)


@pytest.fixture
def eventually() -> Eventually:
    """Wait until a condition holds, for ten seconds at most."""

    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - a condition has no event
                await asyncio.sleep(0.002)

    return wait


@pytest.fixture
def window() -> Callable[..., Window]:
    """A complete window with as many distinct stacks as asked for."""

    def make(rows: int = 2, depth: int = 3, **changes: object) -> Window:
        process = Process(
            service="shop",
            environment="production",
            version="1.2",
            variant="old",
            instance="shop-1",
            host="host-1",
            pid=42,
            started_unix_ns=1_700_000_000_000_000_000,
            language=Language.PYTHON,
            runtime_version="3.11.7",
        )
        functions = [Function("shop", Language.PYTHON, "shop/app.py", f"work_{n}") for n in range(rows + depth)]
        samples = tuple(Sample(tuple(functions[n : n + depth]), 10 + n, n + 1, n % 2) for n in range(rows))
        values: dict[str, object] = {
            "process": process,
            "mode": Mode.GIL,
            "outcome": Outcome.COMPLETE,
            "started_unix_ns": 1_700_000_100_000_000_000,
            "duration_ns": 10_000_000_000,
            "usage": Usage(5_000_000_000, 1_000_000_000, 90_000_000, 0, 10, 20, 8, 30),
            "rate_hz": 50,
            "ticks": 498,
            "gap_cpu_ns": 1_000_000,
            "sampler_cpu_ns": 90_000_000,
            "samples": samples,
            "reason": "turn 3 of 4",
        }
        return Window(**(values | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def point() -> MetricPoint:
    series = MetricSeries(
        service="shop",
        environment="production",
        version="",
        variant="new",
        instance="shop-1",
        name="request_seconds",
        kind=MetricKind.HISTOGRAM,
        role=MetricRole.LATENCY,
        unit="seconds",
        labels=(("method", "GET"), ("path", "/")),
        bounds=(0.1, 1.0),
    )
    return MetricPoint(series, 1_700_000_100_000_000_000, 1_700_000_000_000_000_000, 12.5, 30, (10, 15, 5))


@pytest.fixture
def facts() -> tuple[FileFacts, CodebaseFacts]:
    function = FunctionFacts("work", 3, 9, 4, 1, 1, 2, 5, 6, 7, 8, 0, 1)
    file = FileFacts("shop", Language.RUBY, "app.rb", "abc", 40, (function,))
    return file, CodebaseFacts("shop", 12, 3400)
