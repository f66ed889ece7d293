"""What an agent says of itself, from its own pages to `pivotscope agents show`, also after the collector's restart."""

import json
import sys
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.e2e.stack import PROGRAMS, Stack
from tests.e2e.test_whole_path import QUICK, free_address, select

pytestmark = [pytest.mark.e2e, pytest.mark.engine, pytest.mark.python_target, pytest.mark.slow]


def get(address: str, path: str) -> str:
    """A page of the agent; empty while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
            return text
    except (urllib.error.URLError, ConnectionError):
        return ""


def test_an_agent_is_shown_while_it_runs_and_after_a_restart_of_the_collector(stack: Stack) -> None:
    listen = free_address()
    collector = stack.collector(listen=free_address())
    program = stack.program([sys.executable, PROGRAMS / "busy.py"], "shown")
    agent = stack.agent(QUICK + select("shown"), "--http-listen", listen, "--log-format", "json")
    stack.until(lambda: 'targets{state="sampling"} 1.0' in get(listen, "/metrics"), agent, what="a target is sampled")
    assert json.loads(get(listen, "/healthz"))["status"] == "ok"

    def shown() -> Any:
        (known, *_) = [*stack.agents(), None]
        answer = stack.cli("agents", "show", known.agent_id, "--output", "json") if known else None
        found = answer.rows if answer and answer.status == 0 else None
        return found if found and found["target_states"] == {"sampling": 1} else None

    stack.until(shown, agent, collector, what="the agent is shown")
    assert collector.stop() == 0
    collector = stack.collector(listen=stack.address)
    stack.until(shown, agent, collector, what="it is shown after the restart")
    found = shown()
    (target,) = found["targets"]
    assert target["pid"] == program.pid
    assert (target["service"], target["state"]) == ("shown", "sampling")
    assert target["runtime"].startswith("CPython 3.")
    assert found["tools"]["py-spy"] != "unknown"
    text = stack.cli("agents", "show", str(found["agent_id"])[:4]).output
    assert "governor" in text
    assert "1 sampling" in stack.cli("agents", "list").output
    assert agent.stop() == 0
    lines = [json.loads(line) for line in agent.said.splitlines()]
    assert {"time", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines))
