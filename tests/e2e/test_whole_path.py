"""From a running program to what a person asks, with nothing but processes and public commands."""

import re
import signal
import socket
import sys
import time
from collections.abc import Callable

import pytest

from tests.e2e.stack import PROGRAMS, Running, Stack, children

pytestmark = [pytest.mark.e2e, pytest.mark.engine]

FRESH_SECONDS = 30.0
QUICK = """
[sampling]
window_seconds = 1
rate_hz = 50
[budget]
target_cpu = 64.0
host_cpu = 64.0
stopped = 1.0
[targets]
rescan_seconds = 0.1
"""
_WINDOW = re.compile(r"\] \w+/complete .*?(?: samples=(\d+)|$)", re.MULTILINE)


def select(service: str) -> str:
    return f'[[select]]\nenv = "OTEL_SERVICE_NAME={service}"\n'


def free_address() -> str:
    """An address on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def printed(agent: Running) -> tuple[int, int]:
    """Complete windows, and samples in them, that an agent printed."""
    samples = [int(found[1] or 0) for found in _WINDOW.finditer(agent.said)]
    return len(samples), sum(samples)


def busy(stack: Stack, service: str) -> Running:
    return stack.program([sys.executable, PROGRAMS / "busy.py"], service)


@pytest.mark.slow
@pytest.mark.python_target
def test_a_sample_is_shown_soon_and_everything_ends(stack: Stack, measured: Callable[[str], None]) -> None:
    """At default settings, from the program's start: finding it, a window, naming, sending, storing."""
    collector = stack.collector()
    agent = stack.agent(select("fresh"))
    stack.until(stack.agents, agent, what="the agent is connected")
    began = time.monotonic()
    busy(stack, "fresh")

    def shown() -> bool:
        answer = stack.cli("hotspots", "--service", "fresh", "--output", "json")
        return answer.status == 0 and any(row["function"] == "churn" for row in answer.rows)

    stack.until(shown, agent, collector, what="hotspots show the function")
    seconds = time.monotonic() - began
    measured(f"in hotspots {seconds:.1f} s after its first call")
    assert seconds < FRESH_SECONDS

    unknown = stack.cli("hotspots", "--service", "nobody")
    assert unknown.status == 2
    assert "nobody" in unknown.errors
    assert "fresh" in unknown.errors
    for command in (["trend", "churn"], ["flame", "--format", "collapsed"], ["collector", "check"]):
        answer = stack.cli(*command)
        assert answer.status == 0, (command, answer)

    stack.until(lambda: children(agent.pid, "py-spy"), agent, what="a sampler runs")
    assert agent.stop() == 0
    assert collector.stop() == 0
    # The program is all that is left: no sampler, no child that read source files.
    left = [pid for pid in stack.alive() if pid not in {running.pid for running in stack.running}]
    assert left == []


@pytest.mark.ruby_target
def test_a_ruby_sample_is_shown(stack: Stack) -> None:
    stack.collector()
    stack.program(["ruby", PROGRAMS / "busy.rb"], "gem")
    agent = stack.agent(QUICK + select("gem"))
    stack.until(lambda: stack.cpu("gem").samples, agent, what="the collector has samples")
    (row,) = [row for row in stack.hotspots("gem").hotspots if row.qualified_name.endswith("churn")]
    assert row.language == "ruby"
    assert row.path.endswith("busy.rb")
    assert row.self_cpu_seconds.estimate > 0.0


@pytest.mark.slow
@pytest.mark.python_target
def test_nothing_is_lost_while_the_collector_is_away(stack: Stack) -> None:
    """Away when the agent starts, killed in between: at the end it has what the agent printed, to the sample."""
    busy(stack, "patient")
    address = free_address()
    agent = stack.agent(QUICK + select("patient"), "--print", collector=address)
    stack.until(lambda: printed(agent)[0] >= 2, agent, what="two windows are taken with nobody to take them")
    assert "unreachable" in agent.said

    collector = stack.collector(listen=address)
    stack.until(lambda: stack.cpu("patient").windows >= 2, agent, collector, what="the windows have arrived")
    collector.stop(signal.SIGKILL)
    before = printed(agent)[0]
    stack.until(lambda: printed(agent)[0] >= before + 2, agent, what="two windows more are taken")
    stack.collector(listen=address)
    stack.until(lambda: stack.cpu("patient").windows > before, agent, what="they have arrived too")
    assert agent.stop() == 0
    stored = stack.cpu("patient")
    assert (stored.windows, stored.samples) == printed(agent)
    assert "0 records wait in the spool" in agent.said
