"""`pivotscope-agent exec` with a collector: what a program did is known when it has ended, however short it was."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.stack import BIN, PROGRAMS, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.engine]

SECONDS = 2


def command(stack: Stack, *options: str) -> list[str | Path]:
    return [BIN / "pivotscope-agent", "exec", "--collector", stack.address, "--spool", stack.folder / "spool", *options]


@pytest.mark.python_target
def test_a_program_of_two_seconds_shows_up(stack: Stack, measured: Callable[[str], None]) -> None:
    """Two at once: one started by a shell, one that forks. Both agents use one spool, and none is told to hurry."""
    stack.collector()
    work = [sys.executable, PROGRAMS / "short.py", SECONDS]
    shell = ["sh", "-c", f"{' '.join(map(str, work))}; exit 5"]
    began = time.monotonic()
    first = stack.start("exec", [*command(stack, "--service", "shell", "--"), *shell])
    second = stack.start("exec", [*command(stack, "--"), *map(str, work), "fork"])
    assert (first.process.wait(60), second.process.wait(60)) == (5, 0)
    seconds = time.monotonic() - began

    for service, running, processes in (("shell", first, 1), ("short", second, 2)):
        used = [float(line.removeprefix("used ")) for line in running.said.splitlines()]
        assert len(used) == processes, running.said
        stack.until(lambda name=service: stack.cpu(name).samples, what=f"samples of {service}")  # type: ignore[misc]
        cpu = stack.cpu(service)
        (row,) = [row for row in stack.hotspots(service).hotspots if row.qualified_name == "Report.total"]
        assert row.path.endswith("short.py")
        assert row.self_cpu_seconds.estimate > 0.5 * cpu.attributed_cpu_seconds
        # How many windows is the governor's choice.
        assert cpu.windows >= processes
        # From the first moment on; what a child used after the last look at it is lost when its parent reaps it.
        assert 0.75 * sum(used) < cpu.cpu_seconds < 1.03 * sum(used) + 0.03
        measured(
            f"{service}: {processes} × {SECONDS} s: {cpu.windows} windows, {cpu.samples} samples, "
            f"{cpu.attributed_cpu_seconds:.2f} of {cpu.cpu_seconds:.2f} CPU-s attributed, {sum(used):.2f} used"
        )
    measured(f"in all {seconds:.1f} s")


@pytest.mark.ruby_target
def test_a_ruby_program_of_two_seconds_shows_up(stack: Stack) -> None:
    stack.collector()
    script = (
        "def churn\n  total = 0\n  20_000.times { |i| total += i % 7 }\n  total\nend\n"
        f"finish = Process.clock_gettime(Process::CLOCK_MONOTONIC) + {SECONDS}\n"
        "churn while Process.clock_gettime(Process::CLOCK_MONOTONIC) < finish\nexit 6\n"
    )
    file = stack.folder / "short.rb"
    file.write_text(script)
    done = subprocess.run([*command(stack, "--"), "ruby", file], check=False, timeout=60)
    assert done.returncode == 6
    stack.until(lambda: stack.cpu("short").samples, what="samples of short")
    assert any(row.qualified_name.endswith("churn") for row in stack.hotspots("short").hotspots)
