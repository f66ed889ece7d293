"""What goes wrong is said where people look, and loses nothing that need not be lost."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pivotscope.profile.function import Function
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Outcome, Process, Sample, Usage, Window
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.pipeline.encode import encode
from pivotscope_agent.pipeline.opening import open_spool
from pivotscope_agent.pipeline.spool import SpoolSettings
from pivotscope_agent.telemetry.counters import Counters

from tests.e2e.stack import PROGRAMS, Stack
from tests.e2e.test_whole_path import QUICK, busy, free_address, select

pytestmark = [pytest.mark.e2e, pytest.mark.engine]

OLD_WINDOWS = 100
SPOOL_BYTES = 1 << 20


def write_token(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(f"{text}\n", "ascii")
    return file


def test_a_wrong_token_is_said_by_agent_and_command(stack: Stack, tmp_path: Path) -> None:
    right, wrong = write_token(tmp_path, "right", "open-sesame"), write_token(tmp_path, "wrong", "open-barley")
    stack.collector("--token-file", right)
    agent = stack.agent(select("anyone"), "--token-file", wrong)
    stack.until(lambda: "unauthenticated" in agent.said, agent, what="the agent says that it is refused")
    assert "wrong token" in agent.said
    for token in (wrong, tmp_path / "empty"):
        token.touch()
        answer = stack.cli("agents", "list", "--token-file", str(token))
        assert answer.status == 3, answer
        assert "token" in answer.errors
        assert "Traceback" not in answer.errors
    answer = stack.cli("agents", "list", "--output", "json", "--token-file", str(right))
    assert (answer.status, answer.rows) == (0, [])
    assert agent.stop() == 0


def test_no_collector_is_said(stack: Stack) -> None:
    answer = stack.cli("hotspots", collector=free_address())
    assert answer.status == 3
    assert "no collector answers" in answer.errors
    assert "pivotscope collector serve" in answer.errors


def test_a_data_folder_that_takes_nothing_is_said(stack: Stack) -> None:
    # Not even root can write there.
    folder = Path("/proc/sys/kernel/pivotscope")
    collector = stack.start(
        "collector", [sys.executable, "-m", "pivotscope_collector.cli", "collector", "serve", "--data-dir", folder]
    )
    assert collector.process.wait(60) == 3
    assert f"cannot write to the data folder {folder}" in collector.said
    assert "Traceback" not in collector.said


def test_a_broken_profile_is_said(stack: Stack, tmp_path: Path) -> None:
    source, profile = tmp_path / "app.py", tmp_path / "app.prof"
    source.write_text("def hot():\n    pass\n")
    profile.write_bytes(b"\x1f\x8b no profile \xff\x00 of any kind")
    answer = stack.cli("analyze", str(source), "--profile-data", str(profile), "--hotspot-only")
    assert answer.status == 2, answer
    assert str(profile) in answer.errors
    assert "Traceback" not in answer.errors


@pytest.mark.python_target
def test_targets_that_cannot_be_read_are_told_in_the_list_of_agents(stack: Stack, tmp_path: Path) -> None:
    """One process is traced by somebody else, one runs an interpreter that no sampler reads; CPU of both is kept."""
    stack.collector()
    sleep = shutil.which("sleep")
    assert sleep is not None
    mruby = tmp_path / "mruby"
    shutil.copy(sleep, mruby)
    stack.start("mruby", [mruby, "600"], {"OTEL_SERVICE_NAME": "strange"})
    stack.program([sys.executable, PROGRAMS / "traced.py"], "traced")
    agent = stack.agent(QUICK + select("strange") + select("traced"), "--print")

    def outcomes() -> dict[str, int]:
        return {name: count for one in stack.agents() for name, count in one.outcomes.items()}

    wanted = {"unsupported_runtime", "attach_denied"}
    stack.until(lambda: wanted <= set(outcomes()), agent, what="both outcomes are known")
    answer = stack.cli("agents", "list")
    assert all(outcome in answer.output for outcome in wanted), answer
    assert "mruby is not supported" in agent.said
    assert agent.stop() == 0


@pytest.mark.python_target
def test_a_full_spool_drops_the_oldest_and_says_how_many(stack: Stack, tmp_path: Path) -> None:
    fill_spool(tmp_path / "spool")
    busy(stack, "new")
    address = free_address()
    small = f"[spool]\nmax_bytes = {SPOOL_BYTES}\n"
    agent = stack.agent(QUICK + small + select("new"), "--print", collector=address)
    stack.until(lambda: agent.said.count("/complete") >= 2, agent, what="windows are taken though the spool is full")
    collector = stack.collector(listen=address)
    stack.until(lambda: stack.cpu("new").windows >= 2, agent, collector, what="what is left has arrived")
    kept = stack.cpu("old").windows
    assert agent.stop() == 0
    assert collector.stop() == 0
    assert 0 < kept < OLD_WINDOWS
    dropped = read_store(stack, "SELECT sum(dropped['spool_full']) FROM agents FINAL")
    oldest = read_store(stack, "SELECT min(late) FROM windows FINAL WHERE service = 'old'")
    assert dropped == OLD_WINDOWS - kept
    # The oldest were dropped, none of the newer ones.
    assert oldest == dropped


def fill_spool(folder: Path) -> None:
    """Leave records of one window each, three times as much as the agent will have room for."""
    counters, clock = Counters(), SystemClock()
    spool = open_spool(SpoolSettings(folder, segment_bytes=1 << 17), counters=counters, clock=clock)
    for number in range(OLD_WINDOWS):
        (record,) = encode([old_window(number)], clock_offset_ns=0, max_batch_bytes=1 << 20).records
        spool.append(record.definitions, record.batch)
    spool.close()


def old_window(number: int) -> Window:
    """About 30 kB on the wire, for the names of its functions. `late` numbers it."""
    process = Process("old", "", "", "", "", "here", 1, 1, Language.PYTHON)
    functions = [Function("old", Language.PYTHON, "app.py", f"f{number}_{part}_{'x' * 100}") for part in range(250)]
    return Window(
        process,
        Mode.GIL,
        Outcome.COMPLETE,
        time.time_ns() - 60 * 10**9,
        10**9,
        Usage(cpu_user_ns=10**6),
        rate_hz=100,
        ticks=100,
        late=number,
        samples=tuple(Sample((function,), 1, 1) for function in functions),
    )


def read_store(stack: Stack, sql: str) -> int:
    """A number from the store. The tests' own process must not open it: it may have another one open."""
    command: list[str | Path] = [sys.executable, PROGRAMS / "read_store.py", stack.folder / "data", sql]
    return int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)
