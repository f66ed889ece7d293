"""Agent and collector over TLS with real certificates: who gets in, what is said to the others, and rotation."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import cast

import pytest
from grpc import aio
from pivotscope.transport.files import TlsFiles
from pivotscope_agent.clock import SystemClock as AgentClock
from pivotscope_agent.pipeline import renewal
from pivotscope_agent.pipeline.channel import TLS_NAMES, Endpoint
from pivotscope_agent.pipeline.export import ExportState, Identity
from pivotscope_agent.pipeline.opening import open_spool
from pivotscope_agent.pipeline.pipeline import Pipeline
from pivotscope_agent.pipeline.spool import SpoolSettings
from pivotscope_agent.telemetry.counters import Count, Counters
from pivotscope_collector.clock import SystemClock as CollectorClock
from pivotscope_collector.counters import Count as CollectorCount
from pivotscope_collector.counters import Counters as CollectorCounters
from pivotscope_collector.doors.listen import listen
from pivotscope_collector.gauges import Gauges
from pivotscope_collector.ingest.committer import Committer
from pivotscope_collector.ingest.desired import Desired
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.service import AgentService
from pivotscope_collector.settings import Settings
from pivotscope_collector.store.client import Client

from tests.certificates import Authority, Pair, install, needs_openssl
from tests.wire.test_agent_meets_collector import NoHistory, Store, eventually, window

pytestmark = [pytest.mark.e2e, needs_openssl]


@dataclass
class Door:
    """A collector that listens with the certificate in `folder`; what it stored, and what it counted."""

    port: int
    folder: Path
    store: Store
    counters: CollectorCounters


Open = Callable[..., "asyncio.Future[Door]"]
MakeAgent = Callable[..., tuple[Pipeline, Counters]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other"), "other")


@pytest.fixture(scope="module")
def good(authority: Authority) -> Pair:
    return authority.issue("collector")


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Callable[..., object]]:
    """Opens a collector's door; closed at the end of the test."""
    ends: list[Callable[[], object]] = []

    async def make(pair: Pair | None, client_ca: Path | None = None) -> Door:
        counters, kept = CollectorCounters(), Store()
        committer = Committer(kept.write, counters, seconds=0.01, rows=20_000)
        committer.start()
        server = aio.server()
        nothing, clock = cast("Client", NoHistory()), CollectorClock()
        service = AgentService(
            nothing, committer, clock, counters, version="0", limits=Limits(), desired=Desired(nothing, clock)
        )
        service.add_to(server)
        settings = Settings(listen="127.0.0.1:0")
        if pair:
            placed = install(pair, tmp_path)
            settings = Settings(
                listen="127.0.0.1:0",
                tls_certificate=str(placed.certificate),
                tls_key=str(placed.key),
                tls_client_ca=str(client_ca or ""),
            )
        port = listen(server, settings, counters, Gauges())
        await server.start()
        ends.extend((partial(server.stop, 0), committer.close))
        return Door(port, tmp_path, kept, counters)

    yield make
    for end in ends:
        await cast("asyncio.Future[None]", end())


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[MakeAgent]:
    made: list[Pipeline] = []

    def make(port: int, tls: TlsFiles | None, host: str = "127.0.0.1") -> tuple[Pipeline, Counters]:
        counters, clock = Counters(), AgentClock()
        pipeline = Pipeline(
            Endpoint(f"{host}:{port}", tls=tls),
            Identity("agent-1", "0.1.0", "host-1", ("python",)),
            open_spool(SpoolSettings(tmp_path / "spool"), counters=counters, clock=clock),
            counters=counters,
            clock=clock,
            random=Random(1),
            targets=lambda: 1,
            on_command=print,
        )
        pipeline.start()
        made.append(pipeline)
        return pipeline, counters

    yield make
    for pipeline in made:
        await pipeline.close(0)


def files(ca: Path | None, pair: Pair | None = None) -> TlsFiles:
    return TlsFiles(ca, pair.certificate if pair else None, pair.key if pair else None, names=TLS_NAMES)


async def refused(agent: MakeAgent, port: int, tls: TlsFiles | None, host: str = "127.0.0.1") -> str:
    """What an agent says that does not get in."""
    pipeline, _ = agent(port, tls, host)
    await eventually(lambda: pipeline.status.state is ExportState.UNREACHABLE)
    detail = pipeline.status.detail
    await pipeline.close(0)
    return detail


async def test_what_is_wrong_with_the_collectors_side_is_named(
    door: Open, agent: MakeAgent, authority: Authority, other: Authority, good: Pair
) -> None:
    found = await door(good)
    assert "if it speaks TLS, name its CA" in await refused(agent, found.port, None)
    assert f"not signed by a CA of collector.tls.ca {other.ca}" in await refused(agent, found.port, files(other.ca))
    assert "the system's roots; set collector.tls.ca" in await refused(agent, found.port, files(None))
    expired = await door(authority.issue("collector", days=-1))
    assert "has expired; renew it there" in await refused(agent, expired.port, files(authority.ca))
    stranger = await door(authority.issue("stranger", hosts="DNS:elsewhere.example"))
    assert "does not name this address" in await refused(agent, stranger.port, files(authority.ca))
    open_ = await door(None)
    assert "answers without TLS" in await refused(agent, open_.port, files(authority.ca))
    assert not found.store.windows


async def test_callers_without_a_good_certificate_stay_outside(
    door: Open, agent: MakeAgent, authority: Authority, other: Authority, good: Pair
) -> None:
    found = await door(good, authority.ca)
    said = await refused(agent, found.port, files(authority.ca))
    assert "set collector.tls.certificate and collector.tls.key" in said
    said = await refused(agent, found.port, files(authority.ca, authority.issue("agent", days=-1)))
    assert "has expired on" in said
    said = await refused(agent, found.port, files(authority.ca, other.issue("agent")))
    assert "may not be signed by a CA that it knows" in said

    pipeline, counters = agent(found.port, files(authority.ca, authority.issue("agent")))
    pipeline.offer([window(1)])
    await eventually(lambda: counters.get(Count.RECORDS_ACKNOWLEDGED) == 1)
    assert len(found.store.windows) == 1


async def test_nothing_older_than_tls_1_2(door: Open, authority: Authority, good: Pair) -> None:
    found = await door(good)

    def version(highest: ssl.TLSVersion) -> str | None:
        context = ssl.create_default_context(cafile=authority.ca)
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.set_alpn_protocols(["h2"])
        context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, highest
        with (
            socket.create_connection(("127.0.0.1", found.port), timeout=10) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as secured,
        ):
            return secured.version()

    assert await asyncio.to_thread(version, ssl.TLSVersion.MAXIMUM_SUPPORTED) == "TLSv1.3"
    assert await asyncio.to_thread(version, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.warns(DeprecationWarning, match="TLSv1_1"), pytest.raises(ssl.SSLError):
        await asyncio.to_thread(version, ssl.TLSVersion.TLSv1_1)


async def test_rotation_while_streaming_loses_nothing(
    *,
    door: Open,
    agent: MakeAgent,
    authority: Authority,
    other: Authority,
    good: Pair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both sides change to another authority. The files of the agent are changed one by one, and to rubbish between."""
    monkeypatch.setattr(renewal, "LOOK_S", 0.05)
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.ca.read_bytes() + other.ca.read_bytes())
    (tmp_path / "agent").mkdir()
    own = install(authority.issue("agent"), tmp_path / "agent")
    found = await door(good, trusted)
    pipeline, counters = agent(found.port, files(trusted, own))
    sent = 0

    def all_arrived() -> bool:
        return len(found.store.windows) == sent

    async def send_some() -> None:
        nonlocal sent
        pipeline.offer([window(sent)])
        sent += 1
        await eventually(all_arrived)

    async def streams(count: int) -> None:
        await eventually(lambda: counters.get(Count.CONNECTIONS) >= count)

    await streams(1)
    await send_some()
    install(other.issue("agent"), tmp_path / "agent")
    pipeline.offer([window(sent)])
    sent += 1
    await streams(2)
    await send_some()

    # A file that cannot be used changes nothing.
    own.certificate.write_text("rubbish")
    install(other.issue("collector"), tmp_path)
    await send_some()
    assert pipeline.status.state is ExportState.STREAMING
    before = counters.get(Count.CONNECTIONS)
    install(other.issue("agent"), tmp_path / "agent")
    await streams(before + 1)
    await eventually(lambda: pipeline.status.state is ExportState.STREAMING)
    assert found.counters.get(CollectorCount.CERTIFICATE_LOADS, "taken") >= 1

    # Only the new authority counts from here on: whoever is let in shows that the new certificates are in use.
    trusted.write_bytes(other.ca.read_bytes())
    await streams(before + 2)
    await send_some()
    assert counters.get(Count.RECORDS_DROPPED) == 0
    assert counters.get(Count.CONNECTION_FAILURES) == 0
