"""The HTTP listener and what it tells, over loopback."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

import pytest
from pivotscope_collector.counters import LABELS, MEANINGS, Count, Counters, Latency
from pivotscope_collector.doors.exposition import page
from pivotscope_collector.doors.http import HttpDoor
from pivotscope_collector.doors.readiness import Readiness, Stage
from pivotscope_collector.errors import StoreError, UsageError
from pivotscope_collector.gauges import GAUGES, Gauge, Gauges

Ask = Callable[[bytes], "asyncio.Future[bytes]"]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    async def good() -> tuple[HTTPStatus, str, str]:
        return HTTPStatus.OK, "text/plain", "gut: ü\n"

    async def bad() -> tuple[HTTPStatus, str, str]:
        raise ValueError("broken")

    door = HttpDoor({"/good": good, "/bad": bad})
    port = await door.start("127.0.0.1", 0)

    async def get(request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer

    yield get  # type: ignore[misc]  # a coroutine function is what is awaited
    await door.close()


@pytest.mark.e2e
async def test_pages_are_answered(ask: Ask) -> None:
    answer = await ask(b"GET /good?x=1 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 8\r\n" in answer
    assert answer.endswith("\r\n\r\ngut: ü\n".encode())
    assert (await ask(b"HEAD /good HTTP/1.0\r\n\r\n")).endswith(b"\r\n\r\n")


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("request_line", "status"),
    [("GET /other", b"404"), ("POST /good", b"405"), ("", b"405"), ("GET /bad", b"500"), ("\xff\xfe", b"405")],
)
async def test_anything_else_is_refused(ask: Ask, request_line: str, status: bytes) -> None:
    answer = await ask(request_line.encode("latin-1") + b" HTTP/1.1\r\n\r\n")
    assert answer.split(b" ")[1] == status


@pytest.mark.e2e
async def test_a_request_that_is_too_long_is_dropped(ask: Ask) -> None:
    assert await ask(b"GET /good HTTP/1.1\r\nX: " + b"x" * 20_000) == b""


@pytest.mark.e2e
async def test_an_address_that_is_taken_is_said() -> None:
    first, second = HttpDoor({}), HttpDoor({})
    port = await first.start("127.0.0.1", 0)
    with pytest.raises(UsageError, match=f"cannot listen for HTTP on 127.0.0.1:{port}"):
        await second.start("127.0.0.1", port)
    await first.close()


def test_the_page_is_what_prometheus_reads() -> None:
    counters = Counters()
    counters.add(Count.STREAMS, 3)
    counters.add(Count.BATCHES_REFUSED, 2, 'a "b"\\')
    counters.took(Latency.CALL, 0.02)
    counters.took(Latency.CALL, 40.0)
    text = page(counters, Gauges({Gauge.STREAMS_OPEN: lambda: 7, Gauge.CERTIFICATE_SECONDS: lambda: None}))
    lines = text.splitlines()
    assert "pivotscope_collector_streams_total 3" in lines
    assert 'pivotscope_collector_batches_refused_total{reason="a \\"b\\"\\\\"} 2' in lines
    assert "pivotscope_collector_streams_open 7" in lines
    assert 'pivotscope_collector_call_seconds_bucket{le="0.025"} 1' in lines
    assert 'pivotscope_collector_call_seconds_bucket{le="30.0"} 1' in lines
    assert 'pivotscope_collector_call_seconds_bucket{le="+Inf"} 2' in lines
    assert "pivotscope_collector_call_seconds_sum 40.02" in text
    assert "certificate" not in re.sub("certificate_loads.*", "", text.lower()).replace("changed certificate", "")
    for name in Count:
        assert f"# HELP pivotscope_collector_{name}_total {MEANINGS[name]}" in lines


def test_every_name_has_its_meaning_and_label() -> None:
    assert set(MEANINGS) == set(Count)
    assert set(GAUGES) == set(Gauge)
    # A meaning that says "by" names the label.
    assert {name for name in Count if re.search(r", by (?!the)", MEANINGS[name])} == set(LABELS)


async def test_ready_means_serving_and_a_store_that_answers() -> None:
    problem: Exception | None = None

    def ask_store() -> None:
        if problem:
            raise problem

    readiness = Readiness(ask_store)
    assert await readiness.problem() == "starting"
    readiness.stage = Stage.SERVING
    assert await readiness.problem() == ""
    problem = StoreError("the store is away")
    assert await readiness.problem() == "the store is away"
    problem = None
    assert await readiness.problem() == ""
    readiness.stage = Stage.DRAINING
    assert await readiness.problem() == "draining"
