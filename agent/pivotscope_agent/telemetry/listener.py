"""A small HTTP listener: /metrics for a scraper, /healthz for whoever restarts agents."""

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import AF_INET6, SHUT_RDWR
from socketserver import TCPServer

from pivotscope_agent.telemetry.report import Report

log = logging.getLogger(__name__)

ANSWER_S = 3.0
"""A report that takes longer means that the agent's loop is stuck."""
_CLIENT_S = 5.0
_PAGE_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Answer = tuple[int, str, bytes]


class Listener:
    """Answers from a thread of its own, so that it can tell of a loop that does not turn.

    One request at a time, each bounded in time. `start` raises OSError where the address cannot be listened on.
    """

    def __init__(self, host: str, port: int, report: Callable[[], Awaitable[Report]]) -> None:
        self._address = (host, port)
        self._report = report
        self._server: HTTPServer | None = None
        self._thread: threading.Thread | None = None
        self._closing = False

    @property
    def port(self) -> int:
        """Where it listens, once it was started."""
        return self._server.server_address[1] if self._server else 0

    def start(self) -> None:
        """Listen; call it on the loop that makes the reports."""
        loop = asyncio.get_running_loop()
        self._server = _server(self._address, lambda path: answer(path, lambda: _ask(self._report, loop)))
        self._thread = threading.Thread(target=self._serve, args=(self._server,), name="http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; a request under way is answered. Call it off the loop: that request may be waiting for it."""
        if self._server is not None and self._thread is not None:
            self._closing = True
            # Wakes the thread that waits for the next connection; there will be none.
            self._server.socket.shutdown(SHUT_RDWR)
            self._thread.join()
            self._server.server_close()

    def _serve(self, server: HTTPServer) -> None:
        """Wait for requests, however long: `serve_forever` would wake twice a second to see whether it is to end."""
        while not self._closing:
            server.handle_request()


def answer(path: str, report: Callable[[], Report]) -> Answer:
    """Status, content type and body for a path. `report` raises TimeoutError where the agent does not answer."""
    path = path.partition("?")[0]
    if path not in {"/metrics", "/healthz"}:
        return 404, "text/plain", b"There are /metrics and /healthz.\n"
    try:
        found = report()
    except TimeoutError:
        return _health(503, [f"the agent's loop does not answer within {ANSWER_S:g} s"], [])
    if path == "/metrics":
        # Where nobody scrapes the agent, what writes the page takes no memory.
        from pivotscope_agent.telemetry.exposition import page  # noqa: PLC0415

        return 200, _PAGE_TYPE, page(found)
    return _health(503 if found.problems else 200, found.problems, (*found.warnings, *_stream(found)))


def _stream(report: Report) -> list[str]:
    """A collector that is away is a warning: starting the agent anew would not bring it back."""
    stream = report.stream
    if stream.state in {"streaming", "connecting"}:
        return []
    silent_s = (report.sent_unix_ns - stream.since_unix_ns) / 1e9
    return [f"collector: {stream.state} for {silent_s:.0f} s: {stream.detail}"]


def _health(status: int, problems: object, warnings: object) -> Answer:
    text = {"status": "ok" if status == 200 else "failing", "problems": problems, "warnings": warnings}
    return status, "application/json", json.dumps(text).encode() + b"\n"


def _ask(report: Callable[[], Awaitable[Report]], loop: asyncio.AbstractEventLoop) -> Report:
    async def made() -> Report:
        return await report()

    asked = asyncio.run_coroutine_threadsafe(made(), loop)
    try:
        return asked.result(ANSWER_S)
    except TimeoutError:
        asked.cancel()
        raise


def _server(address: tuple[str, int], respond: Callable[[str], Answer]) -> HTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = _CLIENT_S
        server_version = "pivotscope-agent"
        sys_version = ""

        def do_GET(self) -> None:
            try:
                status, kind, body = respond(self.path)
            except Exception:
                log.exception("a request for %s failed", self.path.partition("?")[0])
                status, kind, body = 500, "text/plain", b"internal error, see the agent's log\n"
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
            log.debug(format, *arguments)

    class Server(HTTPServer):
        address_family = AF_INET6 if ":" in address[0] else HTTPServer.address_family

        def server_bind(self) -> None:
            # HTTPServer looks its own name up, which may take as long as a name server does.
            TCPServer.server_bind(self)
            self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

        def handle_error(self, request: object, client_address: object) -> None:
            log.debug("a client went away: %s, %s", client_address, request)

    return Server(address, Handler)
