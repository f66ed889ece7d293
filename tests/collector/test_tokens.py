"""Three tokens with different rights, call by call over TLS, against a collector as a process of its own."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import grpc
import grpc.aio
import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1 import agent_pb2_grpc, query_pb2, query_pb2_grpc

from tests.certificates import Authority, needs_openssl
from tests.collector.test_serve import COLLECTOR, EOF

pytestmark = [pytest.mark.e2e, needs_openssl]

CLI = [sys.executable, "-m", "pivotscope_collector.cli"]
FIRST = "the-first-token"
RATE = 50


@dataclass
class Running:
    """A collector that listens with TLS, and how to reach it."""

    address: str
    ca: Path
    folder: Path
    process: "subprocess.Popen[str]"

    def cli(self, *arguments: str, token: str = FIRST) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PIVOTSCOPE_TOKEN": token, "PIVOTSCOPE_CA": str(self.ca)}
        command = [*CLI, *arguments, "--collector", self.address]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("collector")
    authority = Authority(folder / "authority")
    pair = authority.issue("collector")
    (folder / "token").write_text(FIRST)
    port_file, log = folder / "port", folder / "log"
    files = {
        "--data-dir": folder / "data",
        "--token-file": folder / "token",
        "--tls-certificate": pair.certificate,
        "--tls-key": pair.key,
        "--port-file": port_file,
    }
    options = [str(part) for item in files.items() for part in item]
    with log.open("w") as sink:
        process = subprocess.Popen(
            [*COLLECTOR, "serve", "--listen", "127.0.0.1:0", *options],
            stderr=sink,
            text=True,
            env={**os.environ, "PIVOTSCOPE_CALLS_PER_SECOND": str(RATE)},
        )
    deadline = time.monotonic() + 90
    while not port_file.exists():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield Running(f"localhost:{port_file.read_text().strip()}", authority.ca, folder, process)
    process.send_signal(signal.SIGTERM)
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()


@pytest.fixture
async def channel(running: Running) -> AsyncIterator[grpc.aio.Channel]:
    credentials = grpc.ssl_channel_credentials(running.ca.read_bytes())
    async with grpc.aio.secure_channel(running.address, credentials) as opened:
        yield opened


class Caller:
    """Calls with one token; each gives the status that came back."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self.metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self.query: Any = query_pb2_grpc.QueryServiceStub(channel)
        self.admin: Any = query_pb2_grpc.AdminServiceStub(channel)
        self.agents: Any = agent_pb2_grpc.AgentServiceStub(channel)

    async def create(self, name: str, ends_unix_ns: int = 0, **rights: Any) -> query_pb2.CreateTokenResponse:
        request = query_pb2.CreateTokenRequest(
            name=name, rights=query_pb2.TokenRights(**rights), ends_unix_ns=ends_unix_ns
        )
        return cast("query_pb2.CreateTokenResponse", await self.admin.CreateToken(request, metadata=self.metadata))

    async def stream(self) -> Any:
        """A stream that was welcomed, or has ended."""
        call = self.agents.Stream(metadata=self.metadata)
        await call.write(pb.StreamRequest(hello=pb.Hello(agent_id="a", epoch=1, sent_unix_ns=time.time_ns())))
        await call.read()
        return call

    async def status(self, method: str) -> str:
        """The name of the status with which one method answers."""
        if method == "Stream":
            try:
                call = await self.stream()
                await call.done_writing()
                code = await end_of(call)
            except grpc.aio.AioRpcError as error:
                code = error.code()
            return str(code.name)
        stub = self.query if method in {"ListHotspots", "ListAgents", "GetPlan"} else self.admin
        request = getattr(query_pb2, f"{method}Request")()
        try:
            await getattr(stub, method)(request, metadata=self.metadata)
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return "OK"


async def end_of(call: Any) -> grpc.StatusCode:
    """The status of a stream once it ends; the status comes behind everything that is to be read."""
    async with asyncio.timeout(30):
        with suppress(grpc.aio.AioRpcError):
            while await call.read() is not EOF:
                pass
        return cast("grpc.StatusCode", await call.code())


async def answers_to(call: Any, count: int) -> list[pb.StreamResponse]:
    """The next acknowledgements and rejections of a stream."""
    found: list[pb.StreamResponse] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            answer = await call.read()
            assert isinstance(answer, pb.StreamResponse), (await call.code(), await call.details())
            if answer.WhichOneof("message") in {"ack", "rejection"}:
                found.append(answer)
    return found


READS = {"ListHotspots": "OK", "ListAgents": "OK", "GetPlan": "NOT_FOUND"}
ADMINISTERS = {
    "Check": "OK",
    "ListTokens": "OK",
    "CreateToken": "INVALID_ARGUMENT",
    "RevokeToken": "NOT_FOUND",
    "ListAudit": "OK",
}
WRITES = {"Stream": "OK"}
EVERYTHING = {**READS, **ADMINISTERS, **WRITES}


def refused(allowed: dict[str, str], status: str = "PERMISSION_DENIED") -> dict[str, str]:
    """What every call answers where only these are allowed."""
    return {**dict.fromkeys(EVERYTHING, status), **allowed}


async def test_what_each_token_can_and_cannot_do(running: Running, channel: grpc.aio.Channel) -> None:
    first = Caller(channel, FIRST)
    out = running.folder / "writer.token"
    answer = running.cli("token", "create", "writer", "--write", "shop", "--out", str(out))
    assert answer.returncode == 0, answer
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert out.read_text().strip() not in answer.stdout + answer.stderr
    writer = Caller(channel, out.read_text().strip())
    reader = Caller(channel, (await first.create("reader", read=True)).secret)
    boss = Caller(channel, (await first.create("boss", admin=True)).secret)
    expected = {
        first: EVERYTHING,
        writer: refused(WRITES),
        reader: refused(READS),
        boss: refused(ADMINISTERS),
        Caller(channel, ""): refused({}, "UNAUTHENTICATED"),
        Caller(channel, "wrong"): refused({}, "UNAUTHENTICATED"),
    }
    for caller, statuses in expected.items():
        assert {method: await caller.status(method) for method in EVERYTHING} == statuses

    answer = running.cli("agents", "list", token=out.read_text().strip())
    assert answer.returncode == 3
    assert "token 'writer' may write shop; this needs read" in answer.stderr
    answer = running.cli("token", "create", "again", "--read", "--out", str(out))
    assert (answer.returncode, "File exists" in answer.stderr) == (2, True)


async def test_a_token_writes_for_its_services_only(channel: grpc.aio.Channel) -> None:
    made = await Caller(channel, FIRST).create("shop-only", write=["shop"])
    call = await Caller(channel, made.secret).stream()
    await call.write(pb.StreamRequest(definitions=_definitions("shop", "reports")))
    await call.write(pb.StreamRequest(batch=_batch(1, process=1)))
    assert (await answers_to(call, 1))[0].ack.sequence == 1
    await call.write(pb.StreamRequest(batch=_batch(2, process=2)))
    answers = await answers_to(call, 2)
    (rejection,) = [answer.rejection for answer in answers if answer.HasField("rejection")]
    assert (rejection.sequence, rejection.reason, rejection.retryable) == (2, pb.REJECTION_REASON_FORBIDDEN, False)
    assert "may not write for 'reports'; it may write shop" in rejection.detail
    facts = pb.Batch(sequence=3, codebases=[pb.CodebaseFacts(codebase="reports", total_files=1)])
    await call.write(pb.StreamRequest(batch=facts))
    answers = await answers_to(call, 2)
    reasons = [answer.rejection.reason for answer in answers if answer.HasField("rejection")]
    assert reasons == [pb.REJECTION_REASON_FORBIDDEN]
    call.cancel()
    since = query_pb2.Selection(since_unix_ns=time.time_ns() - 3600 * 10**9)
    found = await Caller(channel, FIRST).query.ListHotspots(
        query_pb2.ListHotspotsRequest(selection=since), metadata=Caller(channel, FIRST).metadata
    )
    assert [service.service for service in found.services] == ["shop"]


async def test_revocation_and_expiry_end_open_streams_soon(channel: grpc.aio.Channel) -> None:
    first = Caller(channel, FIRST)
    made = await first.create("to-be-revoked", write=["*"])
    open_stream = await Caller(channel, made.secret).stream()
    short = await first.create("short", ends_unix_ns=time.time_ns() + 2 * 10**9, write=["*"])
    short_stream = await Caller(channel, short.secret).stream()

    await first.admin.RevokeToken(query_pb2.RevokeTokenRequest(token="to-be-revoked"), metadata=first.metadata)
    began = time.monotonic()
    for call, said in ((open_stream, "was revoked"), (short_stream, "ended at")):
        assert await end_of(call) is grpc.StatusCode.UNAUTHENTICATED
        assert said in await call.details()
    assert time.monotonic() - began < 10
    for token in (made.secret, short.secret):
        assert await Caller(channel, token).status("Stream") == "UNAUTHENTICATED"


async def test_a_token_that_asks_too_often_is_told_to_wait(channel: grpc.aio.Channel) -> None:
    made = await Caller(channel, FIRST).create("eager", read=True)
    caller = Caller(channel, made.secret)
    details: list[str] = []
    deadline = time.monotonic() + 30
    while not details and time.monotonic() < deadline:
        calls = [caller.query.ListAgents(query_pb2.ListAgentsRequest(), metadata=caller.metadata) for _ in range(400)]
        codes = [await call.code() for call in calls]
        refused_calls = [call for call, code in zip(calls, codes, strict=True) if code is not grpc.StatusCode.OK]
        details = [found for call in refused_calls if "asks too often" in (found := await call.details())]
    assert "token 'eager' asks too often: ask again in" in details[0]
    assert await Caller(channel, FIRST).status("ListAgents") == "OK"


async def test_calls_of_administrators_are_on_record(running: Running, channel: grpc.aio.Channel) -> None:
    first = Caller(channel, FIRST)
    made = await first.create("recorded", read=True)
    assert await Caller(channel, made.secret).status("Check") == "PERMISSION_DENIED"
    answer = running.cli("collector", "audit", "--output", "json", "--since", "1h")
    assert answer.returncode == 0, answer.stderr
    calls = json.loads(answer.stdout)
    denied, creation = calls[0], calls[1]
    assert (denied["token"], denied["method"], denied["outcome"]) == ("recorded", "Check", "PERMISSION_DENIED")
    assert (creation["token"], creation["method"], creation["outcome"]) == ("token file", "CreateToken", "OK")
    assert json.loads(creation["request"]) == {"name": "recorded", "rights": {"read": True}}
    assert creation["peer"].startswith("ipv")
    listed = running.cli("token", "list", "--ended", "--output", "json")
    told = answer.stdout + listed.stdout + (running.folder / "log").read_text()
    assert made.secret not in told
    assert FIRST not in told
    assert "recorded" in {row["name"] for row in json.loads(listed.stdout)}


def _definitions(*services: str) -> pb.Definitions:
    made = pb.Definitions()
    for number, service in enumerate(services, 1):
        made.processes.add(id=number, service=service, pid=number, language=pb.LANGUAGE_PYTHON)
    return made


def _batch(sequence: int, process: int) -> pb.Batch:
    batch = pb.Batch(sequence=sequence)
    batch.windows.add(
        process=process,
        mode=pb.MODE_NONE,
        outcome=pb.OUTCOME_COMPLETE,
        started_unix_ns=time.time_ns() - 20 * 10**9,
        duration_ns=10**10,
        usage=pb.Usage(cpu_user_ns=2 * 10**9),
    )
    return batch
