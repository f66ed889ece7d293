"""Pages of real servers that fork: what each worker counts for itself is refused, what they count together is taken."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pivotscope.profile.metric import MetricPoint, MetricRole
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.metrics.config import EndpointRule, MetricsSettings, SeriesRule
from pivotscope_agent.metrics.reader import MetricsReader
from pivotscope_agent.targets.scan import Scanner
from pivotscope_agent.targets.selector import Labels, Selector
from pivotscope_agent.telemetry.counters import Counters

pytestmark = pytest.mark.e2e

PROGRAMS = Path(__file__).parent / "programs"
WORKERS = 4
REQUESTS = 100
ROUNDS = 4


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
        text: str = answer.read().decode()
        return text


class Server:
    """A server with forked workers, and the agent's reader of its page."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.scanner = Scanner((Selector(tree=process.pid, labels=Labels(service="shop")),), host="here")
        rule = EndpointRule(self.url + "/metrics", (SeriesRule("shop_requests_total", MetricRole.REQUESTS),))
        self.reader = MetricsReader(MetricsSettings((rule,)), counters=Counters(), clock=SystemClock())

    def load(self, count: int = REQUESTS) -> set[str]:
        """Send requests, eight at a time; pids that answered."""
        with ThreadPoolExecutor(8) as pool:
            return set(pool.map(get, [self.url + "/"] * count))

    def workers(self) -> list[int]:
        self.scanner.scan()
        return [target.process.pid for target in self.scanner.targets if target.process.pid != self.process.pid]

    async def points(self) -> list[MetricPoint]:
        self.scanner.scan()
        found = await self.reader.read(self.scanner.processes())
        return [point for point in found if point.series.role is MetricRole.REQUESTS]


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(port: int, *command: str | Path, **environment: str) -> Server:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=PROGRAMS,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started.append(process)
        server = Server(process, port)
        wait_until(lambda: len(server.workers()) == WORKERS, "all workers are there")
        wait_until(lambda: answers(server.url), "the server answers")
        return server

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60.0) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"waited in vain until {what}"
        time.sleep(0.02)
    return time.monotonic() - began


def answers(url: str) -> bool:
    try:
        return bool(get(url + "/metrics"))
    except OSError:
        return False


def gunicorn(serve: Callable[..., Server], **environment: str) -> Server:
    port = free_port()
    return serve(
        port,
        *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), "app"),
        **environment,
    )


def puma(serve: Callable[..., Server], **environment: str) -> Server:
    port = free_port()
    return serve(
        port, "puma", "-w", str(WORKERS), "-t", "1:1", "-b", f"tcp://127.0.0.1:{port}", "app.ru", **environment
    )


async def refused(server: Server, caplog: pytest.LogCaptureFixture) -> str:
    """Read the page before there is work, and under load; the complaint.

    One worker may answer all probes of the first rounds: an idle kernel likes to wake the same one. Once another has
    answered no round may bring a point, so nothing that workers counted apart is held against each other.
    """
    assert {point.value for point in await server.points()} <= {0.0}
    rounds = []
    for _ in range(ROUNDS):
        assert len(server.load()) > 1
        rounds.append(await server.points())
    brought = [bool(points) for points in rounds]
    assert brought == sorted(brought, reverse=True)
    assert not brought[-1]
    (complaint,) = {record.getMessage() for record in caplog.records if "metrics:" in record.getMessage()}
    return complaint


async def summed(server: Server) -> None:
    """Each round's points tell all requests of all workers, exactly; also when a worker is replaced."""
    before = (await server.points())[0].value
    for round_ in range(ROUNDS):
        server.load()
        (point,) = await server.points()
        assert point.value - before == REQUESTS
        before = point.value
        if round_ == ROUNDS // 2:
            old = server.workers()
            os.kill(old[0], signal.SIGKILL)
            seconds = wait_until(lambda: len(set(server.workers()) - set(old)) == 1, "the worker is replaced")  # noqa: B023
            sys.stdout.write(f"[replaced worker found in {seconds:.1f} s] ")
            wait_until(lambda: answers(server.url), "the server answers")
            before = (await server.points())[0].value


async def test_gunicorn_whose_workers_count_for_themselves(
    serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    complaint = await refused(gunicorn(serve), caplog)
    assert re.search(r"answered by another process|went back from|began at another time", complaint)
    assert "PROMETHEUS_MULTIPROC_DIR" in complaint


async def test_gunicorn_in_multiprocess_mode(serve: Callable[..., Server], tmp_path: Path) -> None:
    await summed(gunicorn(serve, PROMETHEUS_MULTIPROC_DIR=str(tmp_path)))


@pytest.mark.ruby_target
async def test_puma_whose_workers_count_for_themselves(
    serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    complaint = await refused(puma(serve), caplog)
    assert "went back from" in complaint
    assert "DirectFileStore" in complaint


@pytest.mark.ruby_target
async def test_puma_whose_workers_share_what_they_count(serve: Callable[..., Server], tmp_path: Path) -> None:
    await summed(puma(serve, SHARED=str(tmp_path)))
