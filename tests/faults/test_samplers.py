"""An agent whose sampler hangs, crashes or writes rubbish goes on, accounts for the CPU, and leaves nothing behind."""

import re
import sys
import time
from pathlib import Path

import pytest
from pivotscope_agent.samplers import sweep
from pivotscope_agent.targets import procfs

from tests.e2e.stack import PROGRAMS, Running, Stack
from tests.e2e.test_whole_path import QUICK, free_address, select

pytestmark = [pytest.mark.e2e, pytest.mark.python_target]

WRITE = """
while [ $# -gt 0 ]; do [ "$1" = --output ] && out=$2; shift; done
"""
SAMPLERS = {
    "hangs": ("trap '' INT TERM; sleep 600 & while :; do wait; done", "sampler_killed"),
    "crashes": ("kill -SEGV $$", "sampler_killed"),
    "fails": ("echo 'thread main panicked'; exit 101", "sampler_failed"),
    "writes rubbish": (
        WRITE + "head -c 20000 /dev/urandom > $out; sleep 1; echo 'Samples: 5 Errors: 0'",
        "sampler_failed",
    ),
}


def sampler(folder: Path, script: str) -> Path:
    """A program that takes py-spy's place; asked for its version it behaves."""
    path = folder / "py-spy"
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "py-spy 0.4.1" && exit\n{script}\n')
    path.chmod(0o755)
    return path


def folders(agent: Running) -> list[Path]:
    return list(Path("/dev/shm").glob(f"pivotscope-agent-{agent.pid}-*"))  # noqa: S108


@pytest.mark.parametrize("kind", SAMPLERS)
def test_a_sampler_that_misbehaves(stack: Stack, tmp_path: Path, kind: str) -> None:
    script, outcome = SAMPLERS[kind]
    program = stack.program([sys.executable, PROGRAMS / "busy.py"], "victim")
    config = f'{QUICK}[python]\nprogram = "{sampler(tmp_path, script)}"\n{select("victim")}'
    agent = stack.agent(config, "--print", collector=free_address())
    stack.until(lambda: folders(agent), agent, what="the agent has a folder")
    (folder,) = folders(agent)
    if kind == "hangs":
        # The agent is ended in the midst of it: the program and the child that it started are there.
        stack.until(lambda: len(sweep.samplers_of(folder)) > 1, agent, what="a sampler hangs")
    else:
        stack.until(lambda: f"/{outcome}" in agent.said, agent, what=f"a window is {outcome}")
    began = time.monotonic()
    assert agent.stop() == 0
    assert time.monotonic() - began < 15.0
    found = re.search(rf"/{outcome} \S+ cpu=(\S+)s", agent.said)
    assert found is not None
    assert float(found[1]) > 0.0
    assert sweep.samplers_of(folder) == []
    assert not folder.exists()
    assert procfs.stat(program.pid).state not in "tT"
