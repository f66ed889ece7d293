"""Runs a program that knows its truth, and watches it with the agent's own samplers."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pivotscope.profile.language import Language
from pivotscope.profile.window import Window
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.controls import Controls
from pivotscope_agent.finishing import Finishing
from pivotscope_agent.governing.governor import Governor
from pivotscope_agent.governing.plan import Budgets
from pivotscope_agent.samplers import programs
from pivotscope_agent.samplers.pyspy import PySpy
from pivotscope_agent.samplers.rbspy import RbSpy
from pivotscope_agent.sampling import Deliver, Sampling, Shared
from pivotscope_agent.settings import PythonSettings, RubySettings, SamplingSettings
from pivotscope_agent.sources import Sources
from pivotscope_agent.targets.scan import Scanner
from pivotscope_agent.targets.selector import Selector
from pivotscope_agent.targets.target import Target

from tests.truth.record import Record, read_record
from tests.truth.sums import Estimate, complete, estimate

PROGRAMS = Path(__file__).parent / "programs"
START_SECONDS = 60.0
_AMPLE = Budgets(64.0, 64.0, 1.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: a program with a seed, and how it is looked at. The program works for `duty` of the time."""

    language: Language
    seed: int
    windows: int = 12
    window_seconds: int = 2
    rate_hz: int = 200
    duty: float = 0.8
    active_every: int = 4
    native_every: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is over: what the agent saw, and what the program says."""

    plan: Plan
    windows: tuple[Window, ...]
    record: Record

    @property
    def estimate(self) -> Estimate:
        """CPU by function, from what was seen."""
        return estimate(self.windows)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Begin and end of the windows that carry samples."""
        return [
            (window.started_unix_ns, window.started_unix_ns + window.duration_ns) for window in complete(self.windows)
        ]

    @property
    def truth_shares(self) -> dict[str, float]:
        """Parts of the process's CPU in the windows that carry samples."""
        spent = self.record.between(self.spans)
        return {name: spent.share(name) for name in spent.functions}

    @property
    def samples(self) -> int:
        """Samples of all modes."""
        return sum(sample.count for window in self.windows for sample in window.samples)


def observe(plans: Sequence[Plan]) -> list[Run]:
    """Carry out runs side by side. Raises RuntimeError when one does not end in time."""
    return asyncio.run(_observe(plans))


@dataclass(slots=True)
class _Watched:
    plan: Plan
    process: "subprocess.Popen[str]"
    log: Path
    windows: list[Window] = field(default_factory=list)


async def _observe(plans: Sequence[Plan]) -> list[Run]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        watched = [_start(stack, plan, folder / f"{number}.log") for number, plan in enumerate(plans)]
        by_pid = {one.process.pid: one for one in watched}

        def keep(windows: Iterable[Window]) -> None:
            for window in windows:
                by_pid[window.process.pid].windows.append(window)

        finishing = Finishing(Sources(lambda _: None), keep)
        naming = asyncio.create_task(finishing.run())
        try:
            await asyncio.gather(*(_watch(one, finishing, folder) for one in watched))
            await finishing.join()
        finally:
            naming.cancel()
        return [Run(one.plan, tuple(one.windows), read_record(one.log)) for one in watched]


async def _watch(one: _Watched, finishing: Finishing, folder: Path) -> None:
    """Take the windows that are wanted, then end; those at the edges of the program's life are not among them."""
    plan, enough, taken = one.plan, asyncio.Event(), 0

    def deliver(target: Target, window: Window, text: str) -> None:
        nonlocal taken
        if taken < plan.windows:
            finishing.add(target, window, text)
        taken += 1
        if taken >= plan.windows:
            enough.set()

    loop = Sampling(_target(one.process.pid), _shared(plan, folder, deliver))
    running = asyncio.create_task(loop.run())
    try:
        async with asyncio.timeout(2.0 * _length(plan) + START_SECONDS):
            await enough.wait()
    finally:
        loop.end(exited=False)
        await running


def _shared(plan: Plan, folder: Path, deliver: Deliver) -> Shared:
    clock = SystemClock()
    return Shared(
        sampling=SamplingSettings(window_seconds=plan.window_seconds, rate_hz=plan.rate_hz, slots=1),
        python=PythonSettings(active_every=plan.active_every, native_every=plan.native_every),
        ruby=RubySettings(active_every=plan.active_every),
        samplers={
            Language.PYTHON: PySpy(programs.find("py-spy")),
            **({Language.RUBY: RbSpy(programs.find("rbspy"))} if plan.language is Language.RUBY else {}),
        },
        governor=Governor(_AMPLE, clock.monotonic_ns()),
        controls=Controls(clock, plan.rate_hz),
        slots=asyncio.Semaphore(1),
        clock=clock,
        folder=folder,
        deliver=deliver,
    )


def _target(pid: int) -> Target:
    """The process as the scanner sees it; children of the agent would be left alone."""
    judged = Scanner((Selector(pid=pid),), host="here", own_pid=-1).judge(pid)
    if not isinstance(judged, Target):
        message = f"process {pid} is no target: {judged}"
        raise TypeError(message)
    return judged


def _length(plan: Plan) -> float:
    """Seconds that the windows of a run take, with time to attach and to find each look's moment."""
    return plan.windows * (plan.window_seconds * 1.25 + 0.5)


def _start(stack: ExitStack, plan: Plan, log: Path) -> _Watched:
    interpreter, script = {
        Language.PYTHON: (sys.executable, "truth_python.py"),
        Language.RUBY: (shutil.which("ruby") or "ruby", "truth_ruby.rb"),
    }[plan.language]
    arguments = [str(log), str(plan.seed), str(2.0 * _length(plan) + START_SECONDS)]
    duty = ["--duty", str(plan.duty)] if plan.language is Language.PYTHON else [str(plan.duty)]
    process = subprocess.Popen(
        [interpreter, str(PROGRAMS / script), *arguments, *duty],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OTEL_SERVICE_NAME": f"truth-{plan.language}-{plan.seed}"},
    )
    stack.callback(_end, process)
    if process.stdout is None or process.stdout.readline() != "ready\n":
        message = f"{script} did not start"
        raise RuntimeError(message)
    return _Watched(plan, process, log)


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()
