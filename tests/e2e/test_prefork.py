"""Servers that fork: each child is found soon, sampled for itself, and named like its server."""

import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.targets import procfs

from tests.e2e.stack import Running, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.python_target]

FOUND_SECONDS = 2.0
_FOUND = re.compile(r"^(\S+)Z INFO pivotscope_agent\.watch: found process (\d+): (\S+),", re.MULTILINE)

WSGI = """\
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]
"""
POOL = """\
import multiprocessing, sys

def work(number):
    total = 0
    for i in range(100_000): total += i * number
    return total

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    # As celery has them: each child is replaced after some tasks.
    with multiprocessing.Pool(2, maxtasksperchild=int(sys.argv[2])) as pool:
        print("ready", flush=True)
        while True:
            pool.map(work, range(40))
"""


def found(agent: Running) -> dict[int, tuple[str, float]]:
    """Processes that the agent said it found: their services, and when by the wall clock."""
    return {
        int(pid): (service, time.mktime(time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float(at[19:]))
        for at, pid, service in _FOUND.findall(agent.said)
    }


def family(pid: int) -> set[int]:
    """A process and all that it started."""
    stats = [stat for one in procfs.pids() if (stat := _stat(one)) is not None and not stat.ended]
    members = {pid}
    while more := {stat.pid for stat in stats if stat.parent in members} - members:
        members |= more
    return members


def _stat(pid: int) -> procfs.Stat | None:
    try:
        return procfs.stat(pid)
    except ProcessGoneError:
        return None


def delay(agent: Running, pid: int) -> float:
    """Seconds from a process's birth until the agent found it."""
    ticks = procfs.stat(pid).start_ticks / os.sysconf("SC_CLK_TCK")
    born = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks
    return found(agent)[pid][1] - born


def watch(stack: Stack, service: str) -> Running:
    """An agent as it comes, but for a collector."""
    agent = stack.agent(
        f'[[select]]\nenv = "OTEL_SERVICE_NAME={service}"\n[http]\nlisten = "off"\n', collector="127.0.0.1:1"
    )
    stack.until(lambda: "unreachable" in agent.said, agent, what="the agent has begun")
    return agent


def until_all_found(stack: Stack, agent: Running, master: int, count: int) -> float:
    """Wait until every process of a server is found; the longest that one took."""

    def complete() -> bool:
        members = family(master)
        return len(members) == count and members <= set(found(agent))

    stack.until(complete, agent, what=f"all {count} processes are found")
    return max(delay(agent, pid) for pid in family(master))


def gunicorn(stack: Stack) -> Running:
    (stack.folder / "shop.py").write_text(WSGI)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(stack.folder), "-w", "4", "-b", address, "shop"]
    return stack.start("gunicorn", command, {"OTEL_SERVICE_NAME": "shop"})


def puma(stack: Stack) -> Running:
    rack = stack.folder / "config.ru"
    rack.write_text("run lambda { |env| [200, {}, ['ok']] }\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    return stack.start("puma", ["puma", "-w", "4", "-b", address, rack], {"OTEL_SERVICE_NAME": "shop"})


@pytest.mark.parametrize("serve", [gunicorn, pytest.param(puma, marks=pytest.mark.ruby_target)])
def test_workers_are_found_when_they_start_and_when_they_are_replaced(
    serve: Callable[[Stack], Running], stack: Stack, measured: Callable[[str], None]
) -> None:
    agent = watch(stack, "shop")
    server = serve(stack)
    first = until_all_found(stack, agent, server.pid, 5)
    old = family(server.pid)
    os.kill(max(old), signal.SIGKILL)
    stack.until(lambda: len(family(server.pid) - old) == 1, what="the server replaced its worker")
    second = until_all_found(stack, agent, server.pid, 5)
    measured(f"{server.name}: five found within {first:.1f} s, a replaced worker within {second:.1f} s")
    assert max(first, second) < FOUND_SECONDS
    assert {service for service, _ in found(agent).values()} == {"shop"}
    assert agent.stop() == 0


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_pool_of_workers_that_come_and_go(method: str, stack: Stack, tmp_path: Path) -> None:
    """Forked without exec, as celery does it, and spawned anew, as uvicorn does it; each lives for a second or so."""
    script = tmp_path / "pool.py"
    script.write_text(POOL)
    agent = watch(stack, "shop")
    server = stack.program([sys.executable, script, method, "100"], "shop")
    seen: set[int] = set()

    def enough() -> bool:
        seen.update(pid for pid in family(server.pid) if pid in found(agent))
        return len(seen) >= 5

    stack.until(enough, agent, server, what="workers of several generations are found")
    assert "sampling process" not in agent.said
    assert agent.stop() == 0
