"""What holds for every test: what it may touch, and what it needs from the machine."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

# The environment's own programs (py-spy, rbspy, an unpacked Ruby) come first, also without `make`.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
# What tests start has ports of its own: several of them run at once.
os.environ["PIVOTSCOPE_HTTP_LISTEN"] = "127.0.0.1:0"

_BEYOND_UNITS = {"python_target", "ruby_target", "engine", "e2e"}
_CAP_SYS_PTRACE = 19
_MEASURED = "measured"
_running: list[pytest.Item] = []


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse connections of Python's sockets: all to other machines, and of unit tests also to this one.

    An audit hook sees every socket of the interpreter, whatever was imported first. gRPC's own sockets
    are not Python's; unit tests do not open channels.
    """
    if event not in {"socket.connect", "socket.sendto"} or not _running:
        return
    address = arguments[1]
    if not isinstance(address, tuple):  # a Unix socket
        return
    host = str(address[0])
    if not (host.startswith("127.") or host in {"::1", "localhost"}):
        raise RuntimeError(f"a test tried to reach {host}: tests stay on this machine")
    if not any(_running[-1].get_closest_marker(name) for name in _BEYOND_UNITS):
        raise RuntimeError(f"a unit test opened a connection to {address}; mark it with one of {sorted(_BEYOND_UNITS)}")


sys.addaudithook(_guard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by their length: what they hold is no name, and may differ between two collections."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose means are missing, with the reason. Under CI=true that is a failure."""
    reasons = []
    if item.get_closest_marker("python_target"):
        reasons.append(_why_no_python_target())
    if item.get_closest_marker("ruby_target"):
        reasons.append(_why_no_ruby_target())
    for reason in filter(None, reasons):
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{reason} (CI skips nothing)", pytrace=False)
        pytest.skip(reason)


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Takes a figure that is worth reading where the test passes, too: the end of the run lists them."""
    return lambda figure: record_property(_MEASURED, figure)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what tests measured."""
    figures = [
        (report.location[2], figure)
        for report in terminalreporter.getreports("passed")
        if report.when == "call"
        for name, figure in report.user_properties
        if name == _MEASURED
    ]
    if figures:
        terminalreporter.section("measured")
        wide = max(len(test) for test, _ in figures)
        for test, figure in sorted(figures):
            terminalreporter.write_line(f"{test:{wide}}  {figure}")


@cache
def _why_no_python_target() -> str | None:
    if shutil.which("py-spy") is None:
        return "there is no py-spy on PATH: run `make setup`"
    return _why_no_attaching()


@cache
def _why_no_ruby_target() -> str | None:
    missing = [name for name in ("rbspy", "ruby", "puma", "ruby-prof") if shutil.which(name) is None]
    if missing:
        return f"not on PATH: {', '.join(missing)}. `make setup` brings them, or says why it cannot"
    return _why_no_attaching()


@cache
def _why_no_attaching() -> str | None:
    """Reading another process needs Yama's ptrace_scope 0, or the capability."""
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    if not scope.exists() or scope.read_text(encoding="ascii").strip() == "0":
        return None
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))
    if effective >> _CAP_SYS_PTRACE & 1:
        return None
    return f"{scope} forbids reading other processes, and CAP_SYS_PTRACE is missing"
