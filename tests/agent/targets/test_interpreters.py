"""Every interpreter that is to be found here: what the agent takes it for, and which functions it sees in it.

The table is in the test's output. Versions that are read come with functions by their full names; interpreters that no
sampler reads have one visible state, and nothing is spent on them.
"""

import asyncio
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Outcome, Window
from pivotscope_agent.finishing import Finishing
from pivotscope_agent.settings import PythonSettings, SamplingSettings
from pivotscope_agent.sources import Sources

from tests.agent.conftest import Lab, target_of

PROGRAM = {
    Language.PYTHON: """\
import sys, time

class Report(object):
    class Inner(object):
        def total(self, count):
            total = 0
            for number in range(count):
                total += number * number % 7
            return total

    def work(self):
        return self.Inner().total(20000)

sys.stdout.write("ready\\n")
sys.stdout.flush()
while True:
    began = time.time()
    Report().work()
    time.sleep((time.time() - began) * 3)
""",
    Language.RUBY: """\
class Report
  class Inner
    def total(count)
      total = 0
      i = 0
      while i < count
        total += i * i % 7
        i += 1
      end
      total
    end
  end

  def work
    Inner.new.total(20_000)
  end
end

puts "ready"
$stdout.flush
report = Report.new
while true
  60.times { report.work }
  NAP
end
""",
}
HOT = {Language.PYTHON: "Report.Inner.total", Language.RUBY: "Report::Inner#total"}
ROWS: list[tuple[str, str, str, str]] = []


def pythons() -> Iterator[Path]:
    """CPython by version: on PATH, and as pyenv has them."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    roots = {Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")}
    roots |= {folder.parent for folder in folders if folder.name == "shims"}
    candidates = [path for folder in folders if folder.name != "shims" for path in folder.glob("python3*")]
    candidates += [path for root in sorted(roots) for path in sorted(root.glob("versions/*/bin/python3.[0-9]*"))]
    seen: set[str] = set()
    for path in candidates:
        if not re.fullmatch(r"python3(\.\d+)?", path.name):
            continue
        asked = subprocess.run(
            [path, "-c", "import platform as p; print(p.python_implementation(), p.python_version())"],
            capture_output=True, text=True, check=False, timeout=20,
        )  # fmt: skip
        if asked.stdout.startswith("CPython ") and asked.stdout not in seen:
            seen.add(asked.stdout)
            yield path


@dataclass
class Named:
    """Functions by name, as they are in windows that are handed on."""

    leaves: Counter[str] = field(default_factory=Counter)

    def take(self, windows: Iterable[Window]) -> None:
        for window in windows:
            for sample in window.samples:
                self.leaves[sample.stack[-1].qualified_name] += sample.count


@pytest.fixture(scope="module", autouse=True)
def table(request: pytest.FixtureRequest) -> Iterator[None]:
    """Show what was seen of each interpreter, when all of them were looked at."""
    yield
    lines = [f"{one:<16} {state:<20} {functions:<44} {cost}" for one, state, functions, cost in sorted(ROWS)]
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")


async def observe(lab: Lab, pids: Iterable[int], done: Callable[[list[Window]], bool]) -> dict[int, Counter[str]]:
    """Sample processes until their windows tell enough; functions found, by pid."""
    sources, named = Sources(lambda _: None), {pid: Named() for pid in pids}
    finishing = {pid: Finishing(sources, one.take) for pid, one in named.items()}
    for pid in named:
        lab.begin(pid)
    await lab.until(lambda: all(done([w for w in lab.windows if w.process.pid == pid]) for pid in named))
    await lab.end()
    tasks = [asyncio.create_task(one.run()) for one in finishing.values()]
    for window, text in zip(lab.windows, lab.texts, strict=True):
        finishing[window.process.pid].add(target_of(window.process.pid), window, text)
    await asyncio.gather(*(one.join() for one in finishing.values()))
    for task in tasks:
        task.cancel()
    return {pid: one.leaves for pid, one in named.items()}


def enough(windows: list[Window]) -> bool:
    return sum(window.mode is not Mode.NONE for window in windows) >= 2


@pytest.mark.python_target
async def test_each_python_that_is_here(
    lab: Callable[..., Lab], start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    script = tmp_path / "report.py"
    script.write_text(PROGRAM[Language.PYTHON])
    processes = {start(path, script).pid: path for path in pythons()}
    assert len(processes) >= 1
    # Who holds the lock: no sleeper is taken for one that works, so that few samples are enough.
    laboratory = lab(
        sampling=SamplingSettings(window_seconds=1, rate_hz=60, slots=3), python=PythonSettings(active_every=0)
    )
    found = await observe(laboratory, processes, enough)
    for pid in processes:
        runtime = target_of(pid).runtime
        # What comes after the first two was cut short by the end of the test.
        windows = [w for w in laboratory.windows if w.process.pid == pid and w.mode is not Mode.NONE][:2]
        outcomes = Counter(window.outcome for window in windows)
        ROWS.append(row(f"{runtime.name} {runtime.version}", outcomes, found[pid], windows))
        assert not runtime.unsupported
        assert set(outcomes) == {Outcome.COMPLETE}, windows
        assert found[pid].most_common(1)[0][0] == HOT[Language.PYTHON], (runtime.version, found[pid])


@pytest.mark.ruby_target
async def test_the_ruby_that_is_here(
    lab: Callable[..., Lab], start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    script = tmp_path / "report.rb"
    script.write_text(PROGRAM[Language.RUBY].replace("NAP", "sleep 0.01"))
    pid = start("ruby", script).pid
    laboratory = lab(sampling=SamplingSettings(window_seconds=1, rate_hz=60, slots=1))
    found = await observe(laboratory, [pid], enough)
    runtime = target_of(pid).runtime
    ROWS.append(row(f"{runtime.name} {runtime.version}", Counter([Outcome.COMPLETE]), found[pid], laboratory.windows))
    assert found[pid].most_common(1)[0][0] == HOT[Language.RUBY], found[pid]


@pytest.mark.python_target
@pytest.mark.parametrize("command", ["mruby", "pypy3"])
async def test_an_interpreter_that_no_sampler_reads(
    command: str,
    lab: Callable[..., Lab],
    start: Callable[..., "subprocess.Popen[str]"],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One state, said once; no sampler is ever started, and looking costs next to nothing."""
    if shutil.which(command) is None:
        pytest.skip(f"there is no {command} here; `make setup` brings it where there is apt-get")
    caplog.set_level(logging.WARNING, "pivotscope_agent")
    language = {"mruby": Language.RUBY, "pypy3": Language.PYTHON}[command]
    script = tmp_path / "report"
    # mruby has neither $stdout nor sleep.
    script.write_text(PROGRAM[language].replace("$stdout.flush\n", "").replace("NAP", ""))
    pid = start(command, script).pid
    laboratory = lab(sampling=SamplingSettings(window_seconds=1, slots=1))
    began = time.process_time()
    found = await observe(laboratory, [pid], lambda windows: len(windows) >= 3)
    spent = time.process_time() - began
    runtime = target_of(pid).runtime
    windows = laboratory.windows
    ROWS.append(row(f"{runtime.name} {runtime.version}", Counter(w.outcome for w in windows), found[pid], windows))
    assert {window.outcome for window in windows[:3]} == {Outcome.UNSUPPORTED_RUNTIME}
    assert {window.mode for window in windows} == {Mode.NONE}
    assert "is not supported" in windows[0].reason
    # Its CPU is measured all the same.
    assert windows[0].usage.cpu_user_ns > 0
    assert sum("is not supported" in record.getMessage() for record in caplog.records) == 1
    # The test's own waiting, a hundred looks a second, is most of it.
    assert spent < 0.3, spent


def row(
    name: str, outcomes: Counter[Outcome], functions: Counter[str], windows: list[Window]
) -> tuple[str, str, str, str]:
    samples = functions.total()
    hot = ", ".join(f"{function} {count / samples:.0%}" for function, count in functions.most_common(2))
    sampled = [window.sampler_cpu_ns for window in windows if window.sampler_cpu_ns]
    cost = f"{sum(sampled) / len(sampled) / 1e6:.0f} CPU-ms a window" if sampled else "no sampler"
    return name, "/".join(outcomes), f"{hot or '-'} ({samples} samples)", cost
