import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from pivotscope.profile.language import Language
from pivotscope.profile.window import Window
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.controls import Controls
from pivotscope_agent.governing.governor import Governor
from pivotscope_agent.governing.plan import Budgets
from pivotscope_agent.samplers import programs
from pivotscope_agent.samplers.pyspy import PySpy
from pivotscope_agent.samplers.rbspy import RbSpy
from pivotscope_agent.sampling import Sampling, Shared
from pivotscope_agent.settings import PythonSettings, RubySettings, SamplingSettings
from pivotscope_agent.targets.scan import Scanner
from pivotscope_agent.targets.selector import Selector
from pivotscope_agent.targets.target import Target

PYTHON_BUSY = """
import sys, time
def hot(n):
    total = 0
    for i in range(n):
        total += i * i
    return total
end = time.monotonic() + float(sys.argv[1])
print("ready", flush=True)
while time.monotonic() < end:
    hot(20_000)
    time.sleep(0.002)
"""

PYTHON_WAITING = """
import threading
for _ in range(12):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
"""

RUBY_BUSY = """
def hot(n)
  total = 0.0
  n.times { |i| total += i * 0.5 }
  total
end
finish = Process.clock_gettime(Process::CLOCK_MONOTONIC) + ARGV[0].to_f
puts "ready"
$stdout.flush
while Process.clock_gettime(Process::CLOCK_MONOTONIC) < finish
  hot(20_000)
  sleep 0.002
end
"""

AMPLE = Budgets(64.0, 64.0, 1.0)
"""Nothing is too dear."""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a program and wait until it says that it is ready; it is killed when the test ends."""
    started: list[subprocess.Popen[str]] = []

    def run(*command: str | Path, **options: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process  # type: ignore[no-any-return]

    yield run
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def busy_python(start: Start, tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    script = tmp_path / "busy.py"
    script.write_text(PYTHON_BUSY)
    return lambda seconds=60.0, python=sys.executable: start(python, script, seconds)


@pytest.fixture
def crowded_python(start: Start, tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Busy as `busy_python`, with twelve threads that wait."""
    script = tmp_path / "crowded.py"
    script.write_text(PYTHON_WAITING + PYTHON_BUSY)
    return lambda seconds=60.0, python=sys.executable: start(python, script, seconds)


@pytest.fixture
def busy_ruby(start: Start, tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    script = tmp_path / "busy.rb"
    script.write_text(RUBY_BUSY)
    return lambda seconds=60.0: start("ruby", script, seconds)


def target_of(pid: int) -> Target:
    """A process as the scanner sees it; one that the agent itself started would be left alone."""
    judged = Scanner((Selector(pid=pid),), host="here", own_pid=-1).judge(pid)
    assert isinstance(judged, Target)
    return judged


@dataclass
class Lab:
    """Sampling loops with real samplers, and what they delivered."""

    shared: Shared
    windows: list[Window] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    loops: list[Sampling] = field(default_factory=list)
    tasks: "list[asyncio.Task[None]]" = field(default_factory=list)

    def deliver(self, _: Target, window: Window, text: str) -> None:
        self.windows.append(window)
        self.texts.append(text)

    def begin(self, pid: int, unsupported: str = "") -> Sampling:
        target = target_of(pid)
        if unsupported:
            target = replace(target, runtime=replace(target.runtime, unsupported=unsupported))
        loop = Sampling(target, self.shared)
        self.loops.append(loop)
        self.tasks.append(asyncio.create_task(loop.run()))
        return loop

    async def until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Wait for a condition, looking often; a deadline makes a hang a failure."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited {seconds} s in vain; windows: {self.windows}"
            await asyncio.sleep(0.01)

    async def end(self) -> None:
        for loop in self.loops:
            loop.end(exited=False)
        await asyncio.gather(*self.tasks)

    def child_of(self, loop: Sampling) -> int:
        """Pid of the sampler that runs for a loop now, 0 where none does."""
        child = loop._samplers.child
        return child.pid if child else 0


def make_shared(folder: Path, deliver: Callable[[Target, Window, str], None], **changes: object) -> Shared:
    clock = SystemClock()
    values: dict[str, object] = {
        "sampling": SamplingSettings(window_seconds=1, rate_hz=20, slots=4),
        "python": PythonSettings(active_every=2),
        "ruby": RubySettings(active_every=2),
        "samplers": {
            Language.PYTHON: PySpy(programs.find("py-spy")),
            Language.RUBY: RbSpy(programs.find("rbspy")),
        },
        "governor": Governor(AMPLE, clock.monotonic_ns()),
        "controls": Controls(clock, 100),
        "slots": asyncio.Semaphore(4),
        "clock": clock,
        "folder": folder,
        "deliver": deliver,
    }
    return Shared(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Callable[..., Lab]]:
    labs: list[Lab] = []
    folder = tmp_path / "out"
    folder.mkdir()

    def build(**changes: object) -> Lab:
        made = Lab(None)  # type: ignore[arg-type]
        made.shared = make_shared(folder, made.deliver, **changes)
        labs.append(made)
        return made

    yield build
    for made in labs:
        await made.end()
    assert list(folder.iterdir()) == []
