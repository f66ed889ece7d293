"""A small HTTP listener: pages for scrapers, and for whoever starts collectors and sends to them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from pivotscope_collector.errors import UsageError

_LOG = logging.getLogger(__name__)
_REQUEST_BYTES = 8192
_CLIENT_SECONDS = 5.0

Page = Callable[[], Awaitable[tuple[HTTPStatus, str, str]]]
"""Gives status, content type and text."""


class HttpDoor:
    """Answers GET for each of `pages`, one request a connection, each bounded in size and time.

    It runs on the collector's loop: a loop that is stuck answers nothing, which is the right answer to /healthz.
    """

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self._pages = pages
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; gives the port. Raises UsageError where the address cannot be listened on."""
        try:
            self._server = await asyncio.start_server(self._serve, host.strip("[]"), port, limit=_REQUEST_BYTES)
        except OSError as error:
            raise UsageError(f"cannot listen for HTTP on {host}:{port}: {error.strerror}") from error
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Take no more requests."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_CLIENT_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            status, kind, text = await self._answer(head)
            body = text.encode()
            lines = (
                f"HTTP/1.1 {status.value} {status.phrase}",
                f"Content-Type: {kind}",
                f"Content-Length: {len(body)}",
                "Connection: close",
            )
            writer.write("\r\n".join([*lines, "", ""]).encode() + (b"" if head.startswith(b"HEAD ") else body))
            async with asyncio.timeout(_CLIENT_SECONDS):
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            _LOG.debug("an HTTP client went away: %s", error)
        finally:
            writer.close()

    async def _answer(self, head: bytes) -> tuple[HTTPStatus, str, str]:
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        page = self._pages.get(rest.partition(" ")[0].partition("?")[0])
        if method not in {"GET", "HEAD"}:
            return HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", "only GET\n"
        if page is None:
            return HTTPStatus.NOT_FOUND, "text/plain", f"there are {', '.join(self._pages)}\n"
        try:
            return await page()
        except Exception:  # noqa: BLE001 - a page that fails must not end the connection without a word
            _LOG.exception("a page failed")
            return HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", "internal error, see the collector's log\n"
