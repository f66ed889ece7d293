"""A WSGI application that counts its requests: each worker for itself, or all together in multiprocess mode.

Its page of metrics is at /metrics, as prometheus_client's documentation has it.
"""

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("shop_requests", "Requests answered.")
SECONDS = Histogram("shop_seconds", "Time to an answer.", buckets=(0.001, 0.01, 0.1))

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/metrics":
        return metrics(environ, start_response)
    with SECONDS.time():
        end = time.thread_time() + 0.002
        while time.thread_time() < end:
            pass
    REQUESTS.inc()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


def metrics(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        page: Iterable[bytes] = make_wsgi_app(registry)(environ, start_response)
    else:
        page = make_wsgi_app()(environ, start_response)
    return page
