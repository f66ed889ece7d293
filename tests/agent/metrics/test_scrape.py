import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pivotscope_agent.metrics.scrape import Page, ScrapeError, fetch

pytestmark = pytest.mark.e2e

Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def server() -> Iterator[Callable[[Answer], str]]:
    """Serve one answer on a free port of this machine; returns its URL."""
    started: list[ThreadingHTTPServer] = []

    def serve(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        one = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        started.append(one)
        return f"http://127.0.0.1:{one.server_port}/metrics?full=1"

    yield serve
    for one in started:
        one.shutdown()
        one.server_close()


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "text/plain; version=0.0.4")
    handler.send_header("Location", "http://127.0.0.1:1/")
    handler.end_headers()
    handler.wfile.write(body)


def read(url: str, timeout_s: float = 5, max_bytes: int = 1_000) -> Page:
    return fetch(url, timeout_s=timeout_s, max_bytes=max_bytes)


def test_a_page_with_its_type(server: Callable[[Answer], str]) -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.extend((handler.path, handler.headers["Accept"]))
        send(handler, "größe 1\n".encode())

    assert read(server(answer)) == Page("größe 1\n", "text/plain; version=0.0.4")
    assert asked[0] == "/metrics?full=1"
    assert "openmetrics" in asked[1]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [(b"x" * 2_000, 200, "too_large"), (b"", 500, "status"), (b"", 302, "status"), (b"\xff", 200, "encoding")],
)
def test_what_is_not_a_page_is_refused(server: Callable[[Answer], str], body: bytes, status: int, reason: str) -> None:
    url = server(lambda handler: send(handler, body, status))
    with pytest.raises(ScrapeError, match=url.partition("?")[0]) as caught:
        read(url)
    assert caught.value.reason == reason


def test_a_page_that_drips_is_given_up_in_time(server: Callable[[Answer], str]) -> None:
    over = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        send(handler, b"a")
        while not over.wait(0.02):
            try:
                handler.wfile.write(b"a")
            except OSError:
                return

    began = time.monotonic()
    with pytest.raises(ScrapeError, match="no whole page within") as caught:
        read(server(answer), timeout_s=0.3)
    over.set()
    assert caught.value.reason == "timeout"
    assert time.monotonic() - began < 3


def test_nobody_there() -> None:
    with pytest.raises(ScrapeError) as caught:
        read("http://127.0.0.1:1/metrics")
    assert caught.value.reason == "unreachable"
