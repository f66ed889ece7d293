"""The commands as a user meets them: what they print, and how they exit."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.pipeline.opening import open_spool
from pivotscope_agent.pipeline.spool import SpoolSettings
from pivotscope_agent.targets import procfs
from pivotscope_agent.telemetry.counters import Counters

AGENT = (str(Path(sys.executable).parent / "pivotscope-agent"),)
NOBODY = "127.0.0.1:1"
Program = Callable[..., "subprocess.Popen[str]"]

pytestmark = pytest.mark.python_target


def agent(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIVOTSCOPE_")}
    return subprocess.run(
        [*AGENT, *arguments], capture_output=True, text=True, timeout=60, env=clean | environ, check=False
    )


def test_wrong_use_is_exit_2_and_names_the_setting() -> None:
    ran = agent("config", PIVOTSCOPE_RATE_HZ="fast")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "sampling.rate_hz = 'fast' is not a whole number from 1 to 200" in ran.stderr
    assert agent("run", "--no-such-option").returncode == 2


def test_targets_shows_what_is_selected_and_why_not(busy_python: Program) -> None:
    chosen, other = busy_python().pid, busy_python().pid
    ran = agent("targets", "--select", f"pid={chosen},service=shop", "-o", "json")
    rows = {row["pid"]: row for row in json.loads(ran.stdout)}
    assert ran.returncode == 0
    assert (rows[chosen]["selected"], rows[chosen]["can_be_sampled"], rows[chosen]["service"]) == (True, True, "shop")
    assert (rows[other]["selected"], rows[other]["why"]) == (False, "no selector matches")


def test_doctor_says_what_is_missing_and_how_to_mend_it(tmp_path: Path) -> None:
    ran = agent("doctor", "--spool", str(tmp_path), "--collector", NOBODY, "-o", "json")
    checks = {check["name"]: check for check in json.loads(ran.stdout)}
    assert ran.returncode == 1
    assert checks["py-spy"]["state"] == checks["spool"]["state"] == "ok"
    assert checks["collector"]["state"] == "missing"
    assert "pivotscope collector serve" in checks["collector"]["fix"]


def test_run_samples_spools_and_ends_clean(busy_python: Program, tmp_path: Path) -> None:
    """No collector is there: nothing is lost, nothing is left behind, and the agent ends when told."""
    target = busy_python()
    spool = tmp_path / "spool"
    command = (*AGENT, "run", "--print", "--window", "2", "--rate", "50", "--spool", str(spool), "--collector", NOBODY)
    running = subprocess.Popen(
        [*command, "--select", f"pid={target.pid},service=shop"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    lines = [running.stdout.readline() for _ in range(2)]
    running.send_signal(signal.SIGTERM)
    rest, log = running.communicate(timeout=60)
    lines += rest.splitlines()
    assert running.returncode == 0, log
    assert all(line.startswith(f"shop[{target.pid}]") for line in lines)
    assert any("gil/complete" in line and "top=hot (" in line for line in lines), lines
    assert procfs.stat(target.pid).state in "RSD"
    assert not list(Path("/dev/shm").glob(f"pivotscope-agent-{running.pid}-*"))  # noqa: S108
    opened = open_spool(SpoolSettings(spool), counters=Counters(), clock=SystemClock())
    windows = [window for record in opened.read(0, 100) for window in pb.Batch.FromString(record.batch).windows]
    opened.close()
    assert len(windows) == len(lines)


def test_samplers_die_with_an_agent_that_is_killed(busy_python: Program, tmp_path: Path) -> None:
    target = busy_python()
    command = (*AGENT, "run", "--window", "60", "--spool", str(tmp_path), "--collector", NOBODY)
    running = subprocess.Popen([*command, "--select", f"pid={target.pid}"], stderr=subprocess.DEVNULL)
    sampler = _wait(lambda: _children(running.pid))
    running.kill()
    running.wait()
    _wait(lambda: not [pid for pid in sampler if Path(f"/proc/{pid}").exists()] or None)
    _wait(lambda: procfs.stat(target.pid).state in "RSD" or None)


def _children(parent: int) -> list[int] | None:
    found = []
    for pid in procfs.pids():
        try:
            stat = procfs.stat(pid)
        except ProcessGoneError:
            continue
        if stat.parent == parent and stat.name == "py-spy":
            found.append(pid)
    return found or None


def _wait(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while (value := condition()) is None:
        assert time.monotonic() < deadline, "waited in vain"
        os.sched_yield()
    return value
