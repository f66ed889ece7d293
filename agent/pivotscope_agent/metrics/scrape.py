"""Reading a metrics page over HTTP, bounded in time and size."""

import http.client
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

_ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.5"
_CHUNK = 64 * 1024


class ScrapeError(Exception):
    """A page that could not be read. `reason` is a short name for counting."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Page:
    """Text of a page and what the server called it."""

    text: str
    content_type: str


def fetch(url: str, *, timeout_s: float, max_bytes: int) -> Page:
    """GET a page on a connection of its own; redirects are not followed. Blocks for about `timeout_s` at most.

    Raises ScrapeError with one of the reasons unreachable, timeout, status, too_large, encoding.
    """
    deadline = time.monotonic() + timeout_s
    parts = urlsplit(url)
    connection = _connection(parts.scheme, parts.netloc, timeout_s)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"Accept": _ACCEPT, "Connection": "close"})
        # The response holds the socket, and outlives the connection's close.
        with connection.getresponse() as response:
            body = _body(url, response, deadline, max_bytes)
            content_type = response.getheader("Content-Type", "")
        return Page(body.decode("utf-8"), content_type)
    except TimeoutError as error:
        raise ScrapeError("timeout", f"{url}: no answer within {timeout_s:g} s") from error
    except UnicodeDecodeError as error:
        raise ScrapeError("encoding", f"{url}: not UTF-8: {error}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ScrapeError("unreachable", f"{url}: {error}") from error
    finally:
        connection.close()


def _connection(scheme: str, netloc: str, timeout_s: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(netloc, timeout=timeout_s, context=ssl.create_default_context())
    return http.client.HTTPConnection(netloc, timeout=timeout_s)


def _body(url: str, response: http.client.HTTPResponse, deadline: float, max_bytes: int) -> bytes:
    if response.status != http.client.OK:
        raise ScrapeError("status", f"{url}: HTTP status {response.status}, expected 200")
    body = bytearray()
    while chunk := response.read1(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise ScrapeError("too_large", f"{url}: more than metrics.max_bytes = {max_bytes}")
        if time.monotonic() > deadline:
            raise ScrapeError("timeout", f"{url}: no whole page within metrics.timeout_seconds")
    return bytes(body)
