"""The listener over real sockets."""

import asyncio
import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from pivotscope_agent.telemetry import listener as listening
from pivotscope_agent.telemetry.listener import Listener, answer
from pivotscope_agent.telemetry.report import Report, StreamReport

pytestmark = pytest.mark.e2e

MakeReport = Callable[..., Report]


@pytest.fixture
async def ports(report: MakeReport) -> AsyncIterator[Callable[..., int]]:
    started: list[Listener] = []

    def start(**fields: object) -> int:
        async def made() -> Report:
            return report(**fields)

        listener = Listener("127.0.0.1", 0, made)
        listener.start()
        started.append(listener)
        return listener.port

    yield start
    for listener in started:
        await asyncio.to_thread(listener.close)


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def test_metrics_and_health_are_served(ports: Callable[..., int]) -> None:
    port = ports()
    status, text = await asyncio.to_thread(get, port, "/metrics")
    assert status == 200
    assert "pivotscope_agent_records_sent_total 5.0" in text
    assert await asyncio.to_thread(get, port, "/healthz") == (
        200,
        '{"status": "ok", "problems": [], "warnings": []}\n',
    )
    assert (await asyncio.to_thread(get, port, "/"))[0] == 404


async def test_what_is_stuck_is_said(ports: Callable[..., int]) -> None:
    status, text = await asyncio.to_thread(get, ports(problems=("the search for processes is stuck",)), "/healthz")
    assert (status, json.loads(text)["problems"]) == (503, ["the search for processes is stuck"])


async def test_a_loop_that_does_not_turn_is_said(ports: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "ANSWER_S", 0.2)
    port = ports()
    got: list[tuple[int, str]] = []
    asking = threading.Thread(target=lambda: got.append(get(port, "/healthz")))
    asking.start()
    # The loop stands still until the listener has noticed.
    asking.join(20)
    ((status, text),) = got
    assert status == 503
    assert "does not answer within 0.2 s" in text


async def test_a_port_that_is_taken_is_an_error_of_the_system(report: MakeReport, ports: Callable[..., int]) -> None:
    async def made() -> Report:
        return report()

    taken = Listener("127.0.0.1", ports(), made)
    with pytest.raises(OSError, match="Address already in use"):
        taken.start()
    await asyncio.to_thread(taken.close)


async def test_nobody_who_asks_wakes_nobody_and_closing_does_not_wait(report: MakeReport) -> None:
    """The thread blocks in the system for the next connection, and closing is what wakes it."""

    async def made() -> Report:
        return report()

    listener = Listener("127.0.0.1", 0, made)
    listener.start()
    assert listener._server is not None
    assert (listener._server.timeout, listener._server.socket.gettimeout()) == (None, None)
    port = listener.port
    await asyncio.to_thread(listener.close)
    assert listener._thread is not None
    assert not listener._thread.is_alive()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=20)


async def test_a_request_under_way_is_answered_before_it_closes(report: MakeReport) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def made() -> Report:
        asked.set()
        await go_on.wait()
        return report()

    listener = Listener("127.0.0.1", 0, made)
    listener.start()
    answered = asyncio.ensure_future(asyncio.to_thread(get, listener.port, "/healthz"))
    await asked.wait()
    closed = asyncio.ensure_future(asyncio.to_thread(listener.close))
    done, _ = await asyncio.wait((answered, closed), timeout=0.05)
    assert done == set()
    go_on.set()
    assert (await answered)[0] == 200
    await closed


async def test_a_client_without_a_word_does_not_keep_it(report: MakeReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_CLIENT_S", 0.1)

    async def made() -> Report:
        return report()

    listener = Listener("127.0.0.1", 0, made)
    listener.start()
    with socket.create_connection(("127.0.0.1", listener.port), timeout=20):
        assert (await asyncio.to_thread(get, listener.port, "/healthz"))[0] == 200
        await asyncio.to_thread(listener.close)


def test_a_collector_that_is_away_is_a_warning(report: MakeReport) -> None:
    found = report()
    away = replace(found, stream=StreamReport("unreachable", "refused", found.sent_unix_ns - 90 * 10**9))
    status, _, body = answer("/healthz", lambda: away)
    assert status == 200
    assert json.loads(body)["warnings"] == ["collector: unreachable for 90 s: refused"]
