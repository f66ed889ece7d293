"""How commands end that cannot write, that nobody reads, or that are told nonsense: without a traceback."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def run(
    *arguments: object, stdout: int | None = subprocess.PIPE, **environment: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pivotscope_collector.cli", *map(str, arguments)],
        check=False,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
    )


def test_whoever_stops_reading_has_enough() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run("--help", stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_is_said() -> None:
    with Path("/dev/full").open("w") as full:
        done = run("--help", stdout=full.fileno())
    assert (done.returncode, done.stderr) == (3, "pivotscope: cannot write the answer: No space left on device\n")


def test_what_a_terminal_cannot_show_is_left_out() -> None:
    done = run("hotspots", "--service", "é", "--collector", "127.0.0.1:é", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert "expected HOST:PORT" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("collector", "serve", "--log-level", "loud"), "'loud' is not one of"),
        (("trend", "f", "--step", "-5"), "greater than or equal to 0"),
        (("collector", "migrate", "status", "--data-dir", "gone"), "there is no store in gone"),
        (("collector", "migrate", "--dry-run", "--data-dir", "gone"), "there is no store in gone"),
        (("hotspots", "--collector", "http://127.0.0.1:1"), "expected HOST:PORT"),
        (("collector", "serve", "--port-file", "gone/port"), "there is no folder gone"),
    ],
)
def test_wrong_use_is_said_and_changes_nothing(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*arguments, COLUMNS="200", PYTHONPATH=os.pathsep.join(sys.path))
    assert done.returncode == 2
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_is_said_before_the_store_is_opened(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        data, port = tmp_path / "data", tmp_path / "port"
        port.write_text("9")
        done = run("collector", "serve", "--listen", address, "--data-dir", data, "--port-file", port)
    assert done.returncode == 2
    assert done.stderr == (
        f"pivotscope: cannot listen on {address}: Address already in use; is another collector running? "
        "Name another port with --listen\n"
    )
    assert not list(tmp_path.iterdir())
