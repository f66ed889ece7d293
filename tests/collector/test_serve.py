"""The collector as a process of its own."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1 import agent_pb2_grpc, query_pb2, query_pb2_grpc

EOF: Any = vars(grpc.aio)["EOF"]
pytestmark = pytest.mark.e2e

COLLECTOR = [sys.executable, "-m", "pivotscope_collector.cli", "collector"]
BEARER = (("authorization", "Bearer secret"),)

Start = Callable[..., tuple["subprocess.Popen[str]", int]]


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("secret\n")
    return file


@pytest.fixture
def start(tmp_path: Path, data_dir: Path, token_file: Path) -> Iterator[Start]:
    """Starts a collector over `data_dir`; gives the process and its port."""
    processes: list[subprocess.Popen[str]] = []

    def begin() -> tuple["subprocess.Popen[str]", int]:
        port_file = tmp_path / f"port{len(processes)}"
        arguments = ["--listen", "127.0.0.1:0", "--data-dir", str(data_dir), "--port-file", str(port_file)]
        process = subprocess.Popen(
            [*COLLECTOR, "serve", *arguments, "--token-file", str(token_file)], stderr=subprocess.PIPE, text=True
        )
        processes.append(process)
        deadline = time.monotonic() + 90
        while not port_file.exists():
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return process, int(port_file.read_text())

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def _definitions() -> pb.Definitions:
    made = pb.Definitions(
        processes=[pb.Process(id=1, service="shop", pid=7, language=pb.LANGUAGE_PYTHON)],
        stacks=[pb.Stack(id=1, functions=[1])],
    )
    made.functions.add(
        id=1,
        codebase="shop",
        path="app.py",
        qualified_name="hot",
        language=pb.LANGUAGE_PYTHON,
        owner=pb.OWNER_APPLICATION,
    )
    return made


def _batch(sequence: int, stack: int = 1) -> pb.StreamRequest:
    batch = pb.Batch(sequence=sequence)
    batch.windows.add(
        process=1,
        mode=pb.MODE_GIL,
        outcome=pb.OUTCOME_COMPLETE,
        started_unix_ns=time.time_ns() - 20 * 10**9,
        duration_ns=10**10,
        ticks=200,
        usage=pb.Usage(cpu_user_ns=2 * 10**9),
        stacks=[stack],
        lines=[3],
        counts=[150],
        native_counts=[0],
    )
    return pb.StreamRequest(batch=batch)


def _stub(channel: grpc.aio.Channel) -> Any:
    return agent_pb2_grpc.AgentServiceStub(channel)


def _empty(table: Path) -> None:
    """As after a disk lost what it had said that it had written."""
    for file in table.glob("*_*/data.bin"):
        file.write_bytes(b"")


async def _open(channel: grpc.aio.Channel) -> "grpc.aio.StreamStreamCall[pb.StreamRequest, pb.StreamResponse]":
    call: grpc.aio.StreamStreamCall[pb.StreamRequest, pb.StreamResponse] = _stub(channel).Stream(metadata=BEARER)
    await call.write(pb.StreamRequest(hello=pb.Hello(agent_id="a", epoch=1, host="h", sent_unix_ns=time.time_ns())))
    welcome = await call.read()
    assert isinstance(welcome, pb.StreamResponse)
    assert welcome.welcome.max_in_flight > 0
    assert welcome.welcome.sent_unix_ns >= welcome.welcome.received_unix_ns
    await call.write(pb.StreamRequest(definitions=_definitions()))
    return call


async def _read(call: "grpc.aio.StreamStreamCall[pb.StreamRequest, pb.StreamResponse]") -> pb.StreamResponse:
    """The next answer that is not about what is asked of the agent, which may come at any time."""
    while True:
        answer = await call.read()
        assert isinstance(answer, pb.StreamResponse), (await call.code(), await call.details())
        if answer.WhichOneof("message") != "control":
            return answer


async def test_from_a_stream_to_hotspots_and_through_a_restart(start: Start) -> None:
    process, port = start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = await _open(channel)
        await call.write(_batch(1))
        assert (await _read(call)).ack.sequence == 1
        query = query_pb2.ListHotspotsRequest(
            selection=query_pb2.Selection(since_unix_ns=time.time_ns() - 3600 * 10**9)
        )
        found = await query_pb2_grpc.QueryServiceStub(channel).ListHotspots(query, metadata=BEARER)
        assert [spot.qualified_name for spot in found.hotspots] == ["hot"]
        assert found.services[0].cpu_seconds == pytest.approx(2.0)

        await call.write(_batch(2, stack=9))
        rejection = (await _read(call)).rejection
        assert rejection.sequence == 2
        assert rejection.reason == pb.REJECTION_REASON_UNKNOWN_REFERENCE
        assert rejection.retryable
        await call.write(pb.StreamRequest(definitions=pb.Definitions(stacks=[pb.Stack(id=9, functions=[1])])))
        await call.write(_batch(2, stack=9))
        assert (await _read(call)).ack.sequence == 2

        # What was read before the signal is stored and acknowledged before the stream ends.
        await call.write(_batch(3))
        assert (await _read(call)).ack.sequence == 3
        process.send_signal(signal.SIGTERM)
        while await call.read() is not EOF:
            pass
        assert await call.code() is grpc.StatusCode.OK
    assert process.wait(60) == 0

    process, port = start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        found = await query_pb2_grpc.QueryServiceStub(channel).ListHotspots(query, metadata=BEARER)
        assert found.services[0].windows == 3
        agents = await query_pb2_grpc.QueryServiceStub(channel).ListAgents(
            query_pb2.ListAgentsRequest(), metadata=BEARER
        )
        assert [agent.agent_id for agent in agents.agents] == ["a"]
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


async def test_parts_that_cannot_be_read_are_said_at_the_start(start: Start, data_dir: Path) -> None:
    process, port = start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = await _open(channel)
        await call.write(_batch(1))
        assert (await _read(call)).ack.sequence == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    _empty(data_dir / "data" / "pivotscope" / "functions")
    process, _ = start()
    process.send_signal(signal.SIGTERM)
    assert process.stderr
    assert "damaged and were set aside (functions 1): what they held is in no answer" in process.stderr.read()


async def test_a_second_signal_ends_what_a_first_leaves_waiting(start: Start) -> None:
    process, port = start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await call.read()).status == health_pb2.HealthCheckResponse.SERVING
        process.send_signal(signal.SIGTERM)
        assert (await call.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == -signal.SIGTERM


async def test_callers_without_the_token_are_refused(start: Start) -> None:
    _, port = start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for metadata, said in (((("authorization", "Bearer wrong"),), "wrong token"), ((), "no token")):
            call = _stub(channel).Stream(metadata=metadata)
            assert await call.code() is grpc.StatusCode.UNAUTHENTICATED
            assert said in str(await call.details())
            with pytest.raises(grpc.aio.AioRpcError, match=said):
                await query_pb2_grpc.AdminServiceStub(channel).Check(query_pb2.CheckRequest(), metadata=metadata)
        call = _stub(channel).Stream(metadata=BEARER)
        await call.write(_batch(1))
        assert await call.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "must be a Hello" in str(await call.details())


def test_a_second_collector_over_the_same_folder_is_refused(start: Start, data_dir: Path) -> None:
    start()
    second = subprocess.run(
        [*COLLECTOR, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert second.returncode == 3
    assert "another process" in second.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--data-dir", "/proc/pivotscope"], 3, "cannot write to the data folder /proc/pivotscope"),
        (["--listen", "0.0.0.0:0"], 2, "no token is set"),
        (["--listen", "0.0.0.0:0", "--token-file", "/etc/hostname"], 2, "--tls-certificate"),
        (["--listen", "here"], 2, "listen='here'"),
        (["--token-file", "/nonexistent"], 2, "/nonexistent"),
    ],
)
def test_what_keeps_it_from_starting_is_said(data_dir: Path, arguments: list[str], code: int, said: str) -> None:
    command = [*COLLECTOR, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert result.returncode == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr
