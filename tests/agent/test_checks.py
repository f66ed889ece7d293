import asyncio
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pivotscope_agent import checks
from pivotscope_agent.checks import State
from pivotscope_agent.pipeline.spool import SpoolSettings
from pivotscope_agent.settings import HttpSettings
from pivotscope_agent.status import GovernorStatus
from pivotscope_agent.telemetry.listener import Listener
from pivotscope_agent.telemetry.report import Report, StreamReport


def test_spool(tmp_path: Path) -> None:
    assert checks.check_spool(SpoolSettings(tmp_path / "a" / "b", max_bytes=1 << 20)).state is State.OK
    (tmp_path / "file").write_text("")
    check = checks.check_spool(SpoolSettings(tmp_path / "file"))
    assert check.state is State.MISSING
    assert "PIVOTSCOPE_SPOOL" in check.fix
    check = checks.check_spool(SpoolSettings(tmp_path, max_bytes=1 << 60))
    assert check.state is State.WARNING
    assert "max_bytes" in check.fix


def test_a_program_that_is_missing_matters_where_it_is_needed() -> None:
    assert checks.check_program("rbspy", "/nowhere/rbspy", needed=True).state is State.MISSING
    check = checks.check_program("rbspy", "/nowhere/rbspy", needed=False)
    assert check.state is State.WARNING
    assert "cargo install rbspy" in check.fix


def test_a_program_that_starts(tmp_path: Path) -> None:
    program = tmp_path / "py-spy"
    program.write_text("#!/bin/sh\necho py-spy 1.2.3\n")
    program.chmod(0o755)
    check = checks.check_program("py-spy", str(program), needed=True)
    assert (check.state, check.found) == (State.OK, f"py-spy 1.2.3 at {program}")
    program.write_text("#!/bin/sh\nexit 3\n")
    assert "status 3" in checks.check_program("py-spy", str(program), needed=True).found


def test_the_clock_is_said() -> None:
    assert checks.check_clock().found


def test_files_with_secrets_are_for_the_agent_alone(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("very-secret")
    token.chmod(0o400)
    assert checks.check_secrets((None,)).state is State.OK
    assert checks.check_secrets((token, None)).state is State.OK
    token.chmod(0o644)
    check = checks.check_secrets((token,))
    assert check.state is State.WARNING
    assert f"chmod 0400 {token}" in check.fix
    assert "very-secret" not in str(check)
    assert checks.check_secrets((tmp_path / "nowhere",)).state is State.MISSING


def test_a_listener_that_is_off_or_free() -> None:
    assert checks.check_http(HttpSettings("", 0)).found == "off"
    assert checks.check_http(HttpSettings("127.0.0.1", 0)).state is State.OK
    check = checks.check_http(HttpSettings("192.0.2.1", 4641))
    assert (check.state, "Cannot assign" in check.found) == (State.WARNING, True)


@pytest.fixture
def stranger() -> Iterator[int]:
    """A program that is no agent and holds a port."""

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Other)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.e2e
def test_a_port_that_another_program_holds(stranger: int) -> None:
    check = checks.check_http(HttpSettings("127.0.0.1", stranger))
    assert check.state is State.WARNING
    assert "Address already in use" in check.found
    assert "[http] listen" in check.fix


@pytest.mark.e2e
def test_a_port_that_nobody_answers_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "ANSWER_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert checks.check_http(HttpSettings("127.0.0.1", silent.getsockname()[1])).state is State.WARNING


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("problems", "state", "part"),
    [((), State.OK, "it is well"), (("the pipeline has ended",), State.WARNING, "not well: the pipeline has ended")],
)
async def test_a_running_agent_is_asked(problems: tuple[str, ...], state: State, part: str) -> None:
    async def made() -> Report:
        return Report(1, 1, "0.1.0", StreamReport("streaming"), GovernorStatus(1.0, 0.0), problems=problems)

    listener = Listener("127.0.0.1", 0, made)
    listener.start()
    check = await asyncio.to_thread(checks.check_http, HttpSettings("127.0.0.1", listener.port))
    await asyncio.to_thread(listener.close)
    assert check.state is state
    assert part in check.found
