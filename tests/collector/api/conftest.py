"""A collector's query services over real gRPC, on a store with one small service."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1 import query_pb2_grpc
from pivotscope_collector.api.backup import Backups
from pivotscope_collector.api.service import AdminService, QueryService
from pivotscope_collector.cli import app as cli
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.ingest.decode import Origin, Received, decode
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.judge import judge
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.security.book import TokenBook
from pivotscope_collector.settings import QueryLimits
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.writer import Writer
from typer.testing import CliRunner

Run = Callable[..., Any]
WINDOWS = 12
SECOND = 1_000_000_000


def definitions(started_ns: int) -> pb.Definitions:
    """Functions main > hot, main > cold, main > json (library); hot also recurs."""
    made = pb.Definitions()
    made.processes.add(
        id=1, service="shop", version="1.0", host="h", pid=7, started_unix_ns=started_ns, language=pb.LANGUAGE_PYTHON
    )
    names = (("main", pb.OWNER_APPLICATION), ("Sales.hot", pb.OWNER_APPLICATION), ("cold", pb.OWNER_APPLICATION))
    for number, (name, owner) in enumerate((*names, ("dumps", pb.OWNER_STANDARD)), start=1):
        made.functions.add(
            id=number,
            codebase="shop" if owner == pb.OWNER_APPLICATION else "python-stdlib",
            language=pb.LANGUAGE_PYTHON,
            path="shop.py",
            qualified_name=name,
            owner=owner,
        )
    for number, functions in enumerate(((1, 2), (1, 2, 2), (1, 3), (1, 4)), start=1):
        made.stacks.add(id=number, functions=functions)
    return made


def batch(started_ns: int) -> pb.Batch:
    """Windows of ten seconds: two CPU-seconds each; samples 50 % hot, 30 % cold, 20 % library."""
    made = pb.Batch(sequence=1)
    for index in range(WINDOWS):
        made.windows.add(
            process=1,
            mode=pb.MODE_GIL,
            outcome=pb.OUTCOME_COMPLETE,
            started_unix_ns=started_ns + index * 10 * SECOND,
            duration_ns=10 * SECOND,
            rate_hz=10,
            ticks=100,
            usage=pb.Usage(cpu_user_ns=2 * SECOND),
            stacks=[1, 2, 3, 4],
            lines=[10, 11, 20, 30],
            counts=[6 + index % 2, 4 - index % 2, 6, 4],
            native_counts=[0, 0, 0, 0],
        )
    made.windows.add(
        process=1,
        mode=pb.MODE_NONE,
        outcome=pb.OUTCOME_SAMPLER_KILLED,
        started_unix_ns=started_ns + WINDOWS * 10 * SECOND,
        duration_ns=10 * SECOND,
        usage=pb.Usage(cpu_user_ns=1 * SECOND),
    )
    return made


@pytest.fixture(scope="module")
def started_ns() -> int:
    """Ten minutes ago, at the start of a minute."""
    return (time.time_ns() // SECOND // 60 - 10) * 60 * SECOND


@pytest.fixture(scope="module")
def filled(module_store: Client, started_ns: int) -> Client:
    """The store with the service's windows in it."""
    dictionary = Dictionary(Limits())
    dictionary.define(definitions(started_ns))
    writer = Writer(module_store, Reception(module_store, SystemClock()), Counters(), 30.0)
    made = batch(started_ns)
    received = Received(made, dictionary, Origin("agent-1", 1), started_ns)
    assert judge(received, Limits()).clean
    rows = decode([received])
    assert rows is not None
    writer.write(rows)
    return module_store


@pytest.fixture(scope="module")
def address(filled: Client) -> Iterator[str]:
    """Where the query services listen, on a loop of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[grpc.aio.Server, int]:
        server = grpc.aio.server()
        query_pb2_grpc.add_QueryServiceServicer_to_server(QueryService(filled, QueryLimits()), server)
        book = TokenBook(filled, SystemClock(), None)
        backups = Backups(filled, Path(filled.folder, "backups"), threading.Lock(), asyncio.Lock())
        query_pb2_grpc.add_AdminServiceServicer_to_server(AdminService(filled, lambda: None, book, backups), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    yield f"127.0.0.1:{port}"
    asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def run(address: str) -> Run:
    """Runs a command against the collector; its output, parsed where it is JSON. Errors are raised."""

    def run(*arguments: str) -> Any:
        result = CliRunner().invoke(cli.app, [*arguments, "--collector", address], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if "json" in arguments else result.stdout

    return run
