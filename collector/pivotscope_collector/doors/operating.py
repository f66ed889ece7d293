"""What whoever operates a collector looks at: health and reflection over gRPC, metrics and readiness over HTTP."""

import logging
import os
import sys
from http import HTTPStatus
from pathlib import Path

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from pivotscope.v1 import agent_pb2, query_pb2

from pivotscope_collector.counters import Counters
from pivotscope_collector.doors import exposition
from pivotscope_collector.doors.http import HttpDoor
from pivotscope_collector.doors.readiness import Readiness, Stage
from pivotscope_collector.errors import UsageError
from pivotscope_collector.gauges import Gauge, Gauges
from pivotscope_collector.settings import DEFAULT_HTTP, Settings, split_listen
from pivotscope_collector.store.client import Client

_LOG = logging.getLogger(__name__)
_SERVICES = (
    agent_pb2.DESCRIPTOR.services_by_name["AgentService"].full_name,
    query_pb2.DESCRIPTOR.services_by_name["QueryService"].full_name,
    query_pb2.DESCRIPTOR.services_by_name["AdminService"].full_name,
)
_TEXT = "text/plain; charset=utf-8"


class Operating:
    """`open` comes before the store, so that a migration that takes long is seen; `draining` before streams end."""

    def __init__(self, client: Client, counters: Counters, gauges: Gauges) -> None:
        self.gauges = gauges
        self._counters = counters
        self._readiness = Readiness(lambda: client.run("SELECT 1 AS one"))
        self._health = health.aio.HealthServicer()
        self._http = HttpDoor({"/metrics": self._metrics, "/healthz": self._alive, "/readyz": self._ready})
        gauges.read_with(Gauge.RESIDENT_BYTES, _resident_bytes)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Give a server the services for health and reflection."""
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection((*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)

    async def open(self, settings: Settings) -> None:
        """Listen for HTTP where the settings say so. Raises UsageError, but not for the default address."""
        if not settings.http_listen:
            return
        host, port = split_listen(settings.http_address, "http_listen")
        try:
            bound = await self._http.start(host, port)
        except UsageError as error:
            # Several collectors on one machine need not all be told apart.
            if settings.http_listen != DEFAULT_HTTP:
                raise
            _LOG.warning("%s; name another with --http-listen", error)
            return
        sys.stdout.write(f"metrics and health at http://{host}:{bound}\n")
        sys.stdout.flush()

    async def serving(self) -> None:
        """The tables are there and the port is open."""
        self._readiness.stage = Stage.SERVING
        for service in ("", *_SERVICES):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    async def draining(self) -> None:
        """No new work, please: what there is is being finished."""
        self._readiness.stage = Stage.DRAINING
        await self._health.enter_graceful_shutdown()

    async def close(self) -> None:
        """Answer nothing more."""
        await self._http.close()

    async def _metrics(self) -> tuple[HTTPStatus, str, str]:
        return HTTPStatus.OK, exposition.CONTENT_TYPE, exposition.page(self._counters, self.gauges)

    async def _alive(self) -> tuple[HTTPStatus, str, str]:
        return HTTPStatus.OK, _TEXT, "ok\n"

    async def _ready(self) -> tuple[HTTPStatus, str, str]:
        problem = await self._readiness.problem()
        return (HTTPStatus.SERVICE_UNAVAILABLE, _TEXT, f"{problem}\n") if problem else (HTTPStatus.OK, _TEXT, "ready\n")


def _resident_bytes() -> float | None:
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
