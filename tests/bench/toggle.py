"""Switches an agent off and on, so that one that has settled can be held against none at all, in alternation."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.stack import Running, Stack, children

SAMPLERS = ("py-spy", "rbspy")


def samplers(agent: Running) -> list[int]:
    """Its samplers that run now; one that ended and waits for its agent does not."""
    return [pid for name in SAMPLERS for pid in children(agent.pid, name) if not _ended(pid)]


def switch_off(agent: Running, seconds: float = 10.0) -> None:
    """Stop the agent, then have its samplers write what they have and end. A sampler is never stopped itself: it may
    hold the process that it looks at."""
    os.kill(agent.pid, signal.SIGSTOP)
    deadline = time.monotonic() + seconds
    while left := samplers(agent):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        if time.monotonic() > deadline:
            raise AssertionError(f"samplers {left} do not end")
        time.sleep(0.05)


@contextmanager
def switched_on(stack: Stack, agent: Running) -> Iterator[None]:
    """Let a stopped agent go on, and wait until it samples."""
    os.kill(agent.pid, signal.SIGCONT)
    try:
        stack.until(lambda: samplers(agent), agent, what="the agent samples")
        yield
    finally:
        switch_off(agent)


@contextmanager
def suspended(agent: Running) -> Iterator[None]:
    """Stop the agent and its samplers where they are: only where these never hold the process that they look at.

    Takes no time, so that spans may be as short as the machine's own ups and downs. Looks that fell due are made up
    for afterwards, and budgets are kept over both kinds of spans: watched ones see more than they would in a row.
    """
    os.kill(agent.pid, signal.SIGSTOP)
    held = samplers(agent)
    for pid in held:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in held:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        os.kill(agent.pid, signal.SIGCONT)


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
