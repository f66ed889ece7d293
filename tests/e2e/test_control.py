"""What a person asks of agents, seen in the windows that they send."""

import re
import sys

import pytest

from tests.e2e.stack import PROGRAMS, Running, Stack
from tests.e2e.test_whole_path import QUICK, select

pytestmark = [pytest.mark.e2e, pytest.mark.engine, pytest.mark.python_target, pytest.mark.slow]

WINDOW_SECONDS = 1.0


def last(agent: Running, service: str) -> str:
    """The last window of a service that the agent printed."""
    found = re.findall(rf"^{service}\[.*$", agent.said, re.MULTILINE)
    return found[-1] if found else ""


def test_pause_resume_and_rate_are_seen_in_windows(stack: Stack) -> None:
    stack.collector()
    for service in ("shop", "other"):
        stack.program([sys.executable, PROGRAMS / "busy.py"], service)
    agent = stack.agent(QUICK + select("shop") + select("other"), "--print")
    stack.until(lambda: stack.cpu("shop").windows and stack.cpu("other").windows, agent, what="windows have arrived")

    said = stack.cli("agents", "pause", "--service", "shop", "--for", "10m", "--note", "release")
    assert said.status == 0, said
    assert "Told to 1 connected agent" in said.output
    paused = stack.until(lambda: "/paused " in last(agent, "shop"), agent, what="the pause is seen")
    # Told within a look at the store; a window that is under way ends at once, the next one is a paused one.
    assert paused < 4.0 + 2 * WINDOW_SECONDS
    assert "release" in last(agent, "shop")
    assert "/paused " not in last(agent, "other")
    stack.until(lambda: stack.agents()[0].outcomes.get("paused"), agent, what="the pause is stored")

    assert stack.cli("agents", "resume", "--service", "shop").status == 0
    stack.until(lambda: "/complete " in last(agent, "shop"), agent, what="shop is sampled again")
    assert stack.cli("agents", "set-rate", "20", "--all").status == 0
    stack.until(
        lambda: all("20 Hz: the collector asks for it" in last(agent, one) for one in ("shop", "other")),
        agent,
        what="the rate is seen",
    )
