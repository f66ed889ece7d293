"""The windows of one process, back to back, from the moment it is found until it ends."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Outcome, Usage, Window

from pivotscope_agent.asking import are_too_many, ask_for
from pivotscope_agent.clock import Clock
from pivotscope_agent.controls import Controls
from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.governing.governor import Governor
from pivotscope_agent.governing.plan import Ask, Plan
from pivotscope_agent.obstacles import FIRST_PAUSE_S, Obstacles
from pivotscope_agent.samplers import sweep
from pivotscope_agent.samplers.attended import Attended
from pivotscope_agent.samplers.delay import RunDelay
from pivotscope_agent.samplers.sampler import Ending, Request, Sampler, Verdict
from pivotscope_agent.settings import PythonSettings, RubySettings, SamplingSettings
from pivotscope_agent.status import Reason, TargetStatus, code_of
from pivotscope_agent.targets import procfs
from pivotscope_agent.targets.meter import Meter, Moment, Reading, usage_between
from pivotscope_agent.targets.target import Target
from pivotscope_agent.telemetry.counters import Count, Counters

log = logging.getLogger(__name__)

PROPORTIONAL_EVERY = 6
"""One window in so many reads the proportional set size, for which the kernel walks the page tables."""
_INTERNAL = "internal error, see the agent's log"
SHORTEST_NS = 500_000_000
"""A sampler that ends sooner, by itself, did not do its work; trying again at once would spin."""

SAME_EDGE_NS = 20_000_000
"""Windows that follow each other within this share an edge; a sampler takes as long to begin."""

LEFT_OUT = frozenset({Reason.CPU_BUDGET, Reason.STOP_BUDGET, Reason.ROTATION, Reason.NO_SLOT})
"""Why a process is skipped for a time that its next window stands for."""

Deliver = Callable[[Target, Window, str], None]
"""Takes a finished window and the sampler's text for it; must not block or raise."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the loops of all processes share. `folder` is private to the agent.

    `begin` takes a process with its CPU time and tells from which one on its windows account for it, `leave` up to
    which one they do.
    """

    sampling: SamplingSettings
    python: PythonSettings
    ruby: RubySettings
    samplers: Mapping[Language, Sampler]
    governor: Governor
    controls: Controls
    slots: asyncio.Semaphore
    clock: Clock
    folder: Path
    deliver: Deliver
    counters: Counters = field(default_factory=Counters)
    begin: Callable[[Target, int], int] = field(default=lambda _, cpu_ns: cpu_ns)
    leave: Callable[[Target, int], None] = field(default=lambda *_: None)

    def by_language(self, language: Language) -> PythonSettings | RubySettings:
        """How processes of a language are sampled."""
        return self.ruby if language is Language.RUBY else self.python


class Sampling:
    """Takes the windows of one target until `end` is called; every stretch of time is in exactly one window.

    `run` returns when the last window has been delivered.
    """

    def __init__(self, target: Target, shared: Shared) -> None:
        self.status = TargetStatus(target.process, f"{target.runtime.name} {target.runtime.version}".strip())
        self._target = target
        self._shared = shared
        self._meter = Meter(target.process.pid, target.start_ticks)
        self._over = asyncio.Event()
        self._stirred = asyncio.Event()
        self._exited = False
        self._samplers = Attended(shared.clock)
        self._delay = RunDelay()
        self._edge = Moment(0, 0, Reading(0, 0))
        self._carried_ns = 0
        self._left_out_ns = 0
        self._windows = 0
        self._obstacles = Obstacles(target, self.status, shared.samplers, shared.controls, shared.clock)

    @property
    def target(self) -> Target:
        """Whose windows these are."""
        return self._target

    def refresh(self) -> None:
        """Look at the CPU clock between windows: should the process end, little of its CPU is lost."""
        if not self._over.is_set():
            self._meter.glance()

    def reconsider(self) -> None:
        """The collector asks for something else: a pause begins at once, and an idle stretch ends here."""
        self._stirred.set()
        if self._shared.controls.paused(self._target.process.service):
            self._samplers.stop()

    def end(self, *, exited: bool) -> None:
        """Finish: the process ended, or the agent is about to. A running sampler is told to write what it has."""
        self._exited = self._exited or exited
        self._over.set()
        self._stirred.set()
        if not exited:
            self._samplers.stop()

    async def run(self) -> None:
        """Take windows until the end."""
        try:
            self._meter.read()
        except ProcessGoneError:
            return
        self._edge = self._moment()
        # CPU that windows of an agent before this one did not come to account for is the first window's gap; of a
        # process that began under the eyes of this agent, all of its CPU so far.
        used_ns = self._edge.reading.cpu_ns
        self._carried_ns = used_ns - self._shared.begin(self._target, 0 if self._target.newborn else used_ns)
        try:
            while not self._over.is_set():
                try:
                    await self._step()
                except Exception:
                    log.exception("a window of process %d failed", self._target.process.pid)
                    self._obstacles.fail(Verdict(Outcome.SAMPLER_FAILED, _INTERNAL, code=Reason.INTERNAL))
                    await self._pass(FIRST_PAUSE_S)
        finally:
            self._shared.governor.forget(self._target.key)
            self._shared.controls.turns.forget(self._target.process.service, self._target.key)
        if self._carried_ns or self._meter.last.cpu_ns > self._edge.reading.cpu_ns:
            outcome = Outcome.TARGET_EXITED if self._exited else Outcome.SKIPPED
            self._deliver(self._edge, Verdict(outcome, "the rest of its CPU", code=Reason.REST), Mode.NONE)
        self._shared.leave(self._target, self._edge.reading.cpu_ns)

    async def _step(self) -> None:
        if self._has_ended():
            self.end(exited=True)
            return
        obstacle = self._obstacles.find(self._meter.last.state)
        if obstacle is not None:
            await self._idle(obstacle)
            return
        service, controls = self._target.process.service, self._shared.controls
        at_most = controls.max_targets(service)
        if not controls.turns.take(service, self._target.key, at_most):
            said = f"not its turn: the collector asks for {at_most} at once"
            await self._idle(Verdict(Outcome.SKIPPED, said, code=Reason.ROTATION))
            return
        try:
            await self._take_window(service, controls)
        finally:
            controls.turns.leave(service, self._target.key)

    async def _take_window(self, service: str, controls: Controls) -> None:
        process, shared = self._target.process, self._shared
        settings, nonblocking = shared.by_language(process.language), shared.samplers[process.language].nonblocking
        nonblocking = nonblocking or are_too_many(self._meter.last.threads, process.language)
        ask = ask_for(process, self._windows, shared.sampling, settings, controls, nonblocking=nonblocking)
        if ask is None:
            said = "the collector allows none of the modes that this agent takes"
            await self._idle(Verdict(Outcome.SKIPPED, said, code=Reason.COLLECTOR))
            return
        if not await self._wait_for_slot():
            return
        try:
            plan = self._plan(ask, service, controls)
            if plan.rate_hz:
                await self._sample(plan)
        finally:
            self._shared.slots.release()
        if not plan.rate_hz:
            await self._idle(Verdict(Outcome.SKIPPED, plan.reason, code=plan.code), plan.seconds)

    def _plan(self, ask: Ask, service: str, controls: Controls) -> Plan:
        """What the budgets leave of what settings and collector ask for."""
        process, now_ns = self._target.process, self._shared.clock.monotonic_ns()
        self.status.asked_hz = ask.rate_hz
        pool = (process.service, process.environment, process.version, process.variant, process.language)
        plan = self._shared.governor.plan(self._target.key, pool, ask, now_ns)
        said = plan.text if plan.code else controls.rate_reason(service)
        if plan.nonblocking and are_too_many(threads := self._meter.last.threads, process.language):
            said = "; ".join(filter(None, (said, f"it has {threads} threads and is not stopped")))
        return replace(plan, text=said)

    def _has_ended(self) -> bool:
        try:
            self._meter.read()
        except ProcessGoneError:
            return True
        return False

    async def _idle(self, why: Verdict, seconds: float = 0.0) -> None:
        """Let time pass without a sampler: so much, else a window's, less where the obstacle may go sooner."""
        self._obstacles.say(why)
        seconds = seconds or float(self._shared.sampling.window_seconds)
        retry_s = self._obstacles.retry_s
        await self._pass(min(seconds, retry_s) if retry_s > 0 else seconds)
        self._deliver(self._edge, why, Mode.NONE)

    async def _pass(self, seconds: float) -> None:
        """Let time pass, until the end or something to reconsider."""
        if not self._over.is_set():
            self._stirred.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), seconds)

    async def _wait_for_slot(self) -> bool:
        """Take a slot, in turn. Time spent waiting is delivered as windows that were skipped."""
        if not self._shared.slots.locked():
            return await self._shared.slots.acquire()
        mine = asyncio.ensure_future(self._shared.slots.acquire())
        over = asyncio.ensure_future(self._over.wait())
        try:
            while not mine.done() and not over.done():
                seconds = self._shared.sampling.window_seconds
                await asyncio.wait((mine, over), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                self._deliver(
                    self._edge, Verdict(Outcome.SKIPPED, "all sampler slots are taken", code=Reason.NO_SLOT), Mode.NONE
                )
        finally:
            over.cancel()
            taken = mine.done() and not mine.cancelled()
            if taken and self._over.is_set():
                self._shared.slots.release()
            elif not taken:
                mine.cancel()
        return taken and not self._over.is_set()

    async def _sample(self, plan: Plan) -> None:
        shared, target = self._shared, self._target
        sampler = shared.samplers[target.process.language]
        request = Request(
            pid=target.process.pid,
            mode=plan.mode,
            rate_hz=sampler.rate(plan.rate_hz, self._windows),
            seconds=plan.seconds,
            output=shared.folder / f"{target.process.pid}-{self._windows}.out",
            nonblocking=plan.nonblocking,
        )
        self._windows += 1
        started = self._begin()
        try:
            ending = await self._samplers.run(sampler, request, plan.limit_ns)
        except OSError as problem:
            verdict = Verdict(Outcome.SAMPLER_FAILED, f"{sampler.program} cannot be started: {problem.strerror}")
            shared.governor.withdraw(target.key, shared.clock.monotonic_ns())
            self._obstacles.fail(verdict)
            self._deliver(started, verdict, request.mode, request.rate_hz)
            return
        verdict = sampler.judge(request, ending)
        if ending.status < 0 and sweep.release(request.pid, was_stopped=False):
            verdict = replace(verdict, reason=f"{verdict.reason}; the process was set going again")
        self._observe(request, verdict, ending)
        if not ending.stopped and not self._has_ended():
            self._remember(verdict, ending)
        if verdict.outcome is Outcome.COMPLETE and plan.reason:
            reason = "; ".join(filter(None, (plan.reason, verdict.reason)))
            verdict = replace(verdict, reason=reason, code=verdict.code or plan.code)
        self._deliver(started, verdict, request.mode, request.rate_hz, ending)

    def _observe(self, request: Request, verdict: Verdict, ending: Ending) -> None:
        """Tell the governor what a window cost. One that was ended before its first look counts as one look."""
        looks = 0.0
        if verdict.outcome is Outcome.COMPLETE or (ending.stopped and not self._over.is_set()):
            looks = verdict.ticks or max(1.0, request.rate_hz * min(request.seconds, ending.elapsed_ns / 1e9))
        now_ns = self._shared.clock.monotonic_ns()
        self._shared.governor.observe(
            self._target.key, ending.cpu_ns, ending.stopped_ns, looks, now_ns, attach_ns=ending.attach_ns
        )

    def _remember(self, verdict: Verdict, ending: Ending) -> None:
        """Learn from a window of a process that goes on."""
        if verdict.outcome is not Outcome.COMPLETE:
            self._obstacles.fail(verdict)
        elif ending.elapsed_ns < SHORTEST_NS:
            self._obstacles.fail(
                Verdict(Outcome.SAMPLER_FAILED, "the sampler ended at once", code=Reason.ENDED_AT_ONCE)
            )
        else:
            self._obstacles.clear()

    def _begin(self) -> Moment:
        """Where a window begins: where the last one ended, if that is a moment ago; an edge reads each thread."""
        fresh = self._shared.clock.monotonic_ns() - self._edge.monotonic_ns < SAME_EDGE_NS
        return self._edge if fresh else self._moment()

    def _moment(self) -> Moment:
        """Now, with the counters as they stand; those of an ended process as they were read last."""
        with suppress(ProcessGoneError):
            self._meter.read(waits=True)
        return Moment(self._shared.clock.unix_ns(), self._shared.clock.monotonic_ns(), self._meter.last)

    def _deliver(
        self, started: Moment, verdict: Verdict, mode: Mode, rate_hz: int = 0, ending: Ending | None = None
    ) -> None:
        """Hand on the window that began at `started` and ends now; CPU since the window before is its gap."""
        ended = self._moment()
        duration_ns = ended.monotonic_ns - started.monotonic_ns
        usage = self._usage(started.reading, ended.reading)
        if ending is not None:
            cpu_ns = usage.cpu_user_ns + usage.cpu_system_ns
            stops = verdict.ticks if ending.stopped_ns else 0
            delay_ns = self._delay.learn(ending.looks, duration_ns, cpu_ns, usage.run_delay_ns, stops)
            usage = replace(usage, run_delay_ns=delay_ns)
        window = Window(
            process=self._target.process,
            mode=mode,
            outcome=verdict.outcome,
            # By the clock at its end: should it have been set meanwhile, the batch's offset is that of the new time.
            started_unix_ns=ended.unix_ns - duration_ns,
            duration_ns=duration_ns,
            usage=usage,
            rate_hz=rate_hz,
            ticks=verdict.ticks,
            late=verdict.late,
            errors=verdict.errors,
            gap_cpu_ns=started.reading.cpu_ns - self._edge.reading.cpu_ns + self._carried_ns,
            sampler_cpu_ns=ending.cpu_ns if ending else 0,
            stopped_ns=ending.stopped_ns if ending else 0,
            left_out_ns=self._left_out_ns if verdict.outcome is Outcome.COMPLETE else 0,
            reason=verdict.reason,
        )
        self._edge, self._carried_ns = ended, 0
        if verdict.outcome is Outcome.COMPLETE:
            self._left_out_ns = 0
        elif verdict.code in LEFT_OUT:
            self._left_out_ns += duration_ns
        self.status.record(window, verdict.code)
        counters = self._shared.counters
        counters.add(Count.WINDOWS, (window.outcome, code_of(window.outcome, verdict.code)))
        if window.sampler_cpu_ns:
            counters.add(Count.SAMPLER_CPU, window.mode, window.sampler_cpu_ns)
        self._shared.deliver(self._target, window, verdict.stacks)

    def _usage(self, before: Reading, after: Reading) -> Usage:
        due = not self._over.is_set() and self._windows % PROPORTIONAL_EVERY == 1
        return usage_between(before, after, procfs.proportional_bytes(self._target.process.pid) if due else 0)
