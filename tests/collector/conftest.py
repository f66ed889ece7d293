"""Stores for the tests: the embedded engine, the same engine behind HTTP, and a real server where one is named."""

import itertools
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pivotscope_collector.store import schema
from pivotscope_collector.store.client import Client

_NUMBER = itertools.count(1)

CleanStores = Callable[..., Client]
LONGEST_VALUE = 131_072
"""Bytes of a parameter that a server takes (its `http_max_field_value_size`)."""


def database_name() -> str:
    """A name that no other test uses."""
    return f"test_{os.getpid()}_{next(_NUMBER)}"


@pytest.fixture(scope="session")
def engine_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The one folder that the embedded engine opens in this process."""
    return str(tmp_path_factory.mktemp("engine") / "store")


@pytest.fixture(scope="session")
def clean_stores(engine_path: str) -> Iterator[CleanStores]:
    """Makes embedded stores with nothing in them, each in a database of its own; `migrated=False`: without tables."""
    clients: list[Client] = []

    def make(*, migrated: bool = True) -> Client:
        client = Client(path=engine_path, database=database_name())
        clients.append(client)
        if migrated:
            schema.migrate(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def store(clean_stores: CleanStores) -> Client:
    """An embedded store with nothing in it, for one test."""
    return clean_stores()


@pytest.fixture(scope="module")
def module_store(clean_stores: CleanStores) -> Client:
    """An embedded store that the tests of one module share; empty when the module starts."""
    return clean_stores()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder for a store that another process opens."""
    return tmp_path / "data"


def _fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form, which the driver sends where parameters are long."""
    form = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    parts = [part for part in form.walk() if not part.is_multipart()]
    payloads = [part.get_payload(decode=True) for part in parts]
    names = [str(part.get_param("name", header="Content-Disposition")) for part in parts]
    return {name: text.decode() for name, text in zip(names, payloads, strict=True) if isinstance(text, bytes)}


class Front(BaseHTTPRequestHandler):
    """ClickHouse's HTTP interface as far as the driver uses it, over the embedded engine. For tests only."""

    protocol_version = "HTTP/1.1"
    engine: Any = None
    lock = threading.Lock()

    def do_POST(self) -> None:
        url = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self._body()
        if self.headers.get_content_type() == "multipart/form-data":
            url |= _fields(self.headers["Content-Type"], body)
            body = b""
        text, _, payload = body.partition(b"FORMAT Native\n") if body.startswith(b"INSERT") else (body, b"", b"")
        if url.get("query", "").startswith("INSERT"):
            text, payload = b"", body
        sql = url.get("query") or text.decode() + ("FORMAT Native" if payload else "")
        try:
            answer, code = self._execute(sql, payload, url), 200
        except RuntimeError as error:
            answer, code = str(error).encode(), 500
        self.send_response(code)
        self.send_header("Content-Length", str(len(answer)))
        if code == 500:
            self.send_header("X-ClickHouse-Exception-Code", "1")
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        answer = b"Ok.\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base names it so
        """Quiet."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding"):
            raise AssertionError("the test front takes uncompressed bodies: say compress=false in the address")
        return body

    def _execute(self, sql: str, payload: bytes, url: dict[str, str]) -> bytes:
        if any(len(value.encode()) > LONGEST_VALUE for value in url.values()):
            raise RuntimeError("Code: 1000. DB::Exception: HTML Form Exception: Field value too long")
        bound = {key.removeprefix("param_"): value for key, value in url.items() if key.startswith("param_")}
        with self.lock:
            self.engine.query(f"USE `{url.get('database') or 'default'}`")
            if not payload:
                result = self.engine.query(sql, "TabSeparated", params=bound)
                return bytes(result.bytes())
            with tempfile.NamedTemporaryFile() as file:
                file.write(payload)
                file.flush()
                head, _, form = sql.rpartition("FORMAT")
                token = url.get("insert_deduplication_token", "")
                self.engine.query(
                    f"{head} FROM INFILE '{file.name}' SETTINGS insert_deduplication_token = '{token}' FORMAT {form}"
                )
            return b""


@pytest.fixture(scope="session")
def http_url(engine_path: str) -> Iterator[str]:
    """Address of the engine behind HTTP, or of the real server that PIVOTSCOPE_TEST_CLICKHOUSE_URL names."""
    real = os.environ.get("PIVOTSCOPE_TEST_CLICKHOUSE_URL")
    if real:
        yield real
        return
    chdb = pytest.importorskip("chdb")
    Front.engine = chdb.connect(engine_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/default?compress=false"
    server.shutdown()
    thread.join()
    server.server_close()
    Front.engine.close()


@pytest.fixture(params=["embedded", "http"])
def any_client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of each kind, with a database and no tables."""
    if request.param == "http":
        client = Client(url=request.getfixturevalue("http_url"), database=database_name())
    else:
        client = Client(path=request.getfixturevalue("engine_path"), database=database_name())
    client.create_database()
    yield client
    client.command(f"DROP DATABASE IF EXISTS `{client.database}`")
    client.close()
