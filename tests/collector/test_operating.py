"""What whoever operates a collector looks at, on a collector as a process of its own."""

import json
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from pivotscope.v1 import query_pb2, query_pb2_grpc

from tests.collector.test_serve import COLLECTOR

pytestmark = pytest.mark.e2e

BEARER = (("authorization", "Bearer secret"),)


class Started:
    """A collector, and where its doors are."""

    def __init__(self, folder: Path) -> None:
        (folder / "token").write_text("secret")
        self.log, self.said = folder / "log", folder / "said"
        options = {
            "--listen": "127.0.0.1:0",
            "--http-listen": "0",
            "--data-dir": folder / "data",
            "--token-file": folder / "token",
            "--log-format": "json",
        }
        command = [*COLLECTOR, "serve", *(str(part) for item in options.items() for part in item)]
        with self.log.open("w") as log, self.said.open("w") as said:
            self.process = subprocess.Popen(command, stdout=said, stderr=log)
        self.http = self._address("metrics and health at (http://.*)")

    @property
    def grpc(self) -> str:
        return self._address("listening on (.*)")

    def _address(self, pattern: str) -> str:
        deadline = time.monotonic() + 90
        while not (found := re.search(pattern, self.said.read_text())):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return found[1]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"{self.http}{path}", timeout=30) as answer:  # noqa: S310 - of this machine
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    collector = Started(tmp_path)
    yield collector
    collector.process.kill()
    collector.process.wait()


def test_health_metrics_and_readiness(started: Started) -> None:
    # HTTP answers before the store is open.
    assert started.get("/healthz") == (200, "ok\n")
    with grpc.insecure_channel(started.grpc) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        for service in ("", "pivotscope.v1.AgentService"):
            status = health.Check(health_pb2.HealthCheckRequest(service=service), wait_for_ready=True, timeout=30)
            assert status.status == health_pb2.HealthCheckResponse.SERVING
        assert started.get("/readyz") == (200, "ready\n")

        listing: Any = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        with pytest.raises(grpc.RpcError, match="no token"):
            next(listing(asked))
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        (answer,) = listing(asked, metadata=BEARER)
        named = {service.name for service in answer.list_services_response.service}
        assert {"pivotscope.v1.QueryService", "pivotscope.v1.AdminService", "grpc.health.v1.Health"} <= named

        query: Any = query_pb2_grpc.QueryServiceStub(channel)
        query.ListAgents(query_pb2.ListAgentsRequest(), metadata=BEARER)
        status_code, page = started.get("/metrics")
    assert status_code == 200
    assert "pivotscope_collector_call_seconds_count 1\n" in page
    assert 'pivotscope_collector_calls_refused_total{reason="token"} 1\n' in page
    assert "pivotscope_collector_streams_open 0\n" in page
    assert re.search(r"pivotscope_collector_resident_bytes \d{8,}\n", page)

    started.process.send_signal(signal.SIGTERM)
    assert started.process.wait(60) == 0
    lines = [json.loads(line) for line in started.log.read_text().splitlines() if line.startswith("{")]
    assert {"time", "level", "logger", "message"} <= set(lines[0])
    assert lines[-1]["message"] == "stopping"
