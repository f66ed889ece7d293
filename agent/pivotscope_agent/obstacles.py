"""What stands between a process and its next window: found before each, remembered after failures, said once."""

import logging
from collections.abc import Container

from pivotscope.profile.language import Language
from pivotscope.profile.window import Outcome

from pivotscope_agent.clock import Clock
from pivotscope_agent.controls import Controls
from pivotscope_agent.samplers import sweep
from pivotscope_agent.samplers.sampler import Verdict
from pivotscope_agent.status import Reason, TargetStatus, code_of
from pivotscope_agent.targets import procfs
from pivotscope_agent.targets.target import Target

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 600.0
"""Pauses after failed attempts to attach, doubled each time."""
_BY_CHOICE = frozenset({Outcome.SKIPPED, Outcome.PAUSED})


class Obstacles:
    """Of one target. `status` is told whatever is found or fails; `samplers` has the languages that can be sampled."""

    def __init__(
        self, target: Target, status: TargetStatus, samplers: Container[Language], controls: Controls, clock: Clock
    ) -> None:
        self._target = target
        self._status = status
        self._samplers = samplers
        self._controls = controls
        self._clock = clock
        self._failures = 0
        self._retry_ns = 0
        self._failed = Verdict(Outcome.SKIPPED)
        self._said: tuple[Outcome, str] = (Outcome.COMPLETE, "")

    @property
    def retry_s(self) -> float:
        """Seconds until a failed process is tried again; 0 or less where that is now."""
        return (self._retry_ns - self._clock.monotonic_ns()) / 1e9

    def find(self, state: str) -> Verdict | None:
        """Why the process cannot be sampled now: by choice, by its kind, after a failure, or by the kernel's word.

        `state` is that of its first thread, by the letter of /proc/PID/stat, as it was just read.
        """
        target, found = self._target, None
        if pause := self._controls.paused(target.process.service):
            found = Verdict(Outcome.PAUSED, pause)
        elif target.runtime.unsupported:
            found = Verdict(Outcome.UNSUPPORTED_RUNTIME, target.runtime.unsupported)
        elif target.process.language not in self._samplers:
            found = Verdict(
                Outcome.SAMPLER_FAILED, f"no sampler for {target.process.language} is installed", code=Reason.NO_SAMPLER
            )
        elif self.retry_s > 0:
            found = self._failed
        elif _is_halted(target.process.pid, state):
            found = Verdict(Outcome.SKIPPED, "the process is stopped", code=Reason.HALTED)
        elif not procfs.may_attach(target.process.pid):
            found = Verdict(Outcome.ATTACH_DENIED, "the kernel does not let the agent trace it")
            self.fail(found)
        return found

    def fail(self, verdict: Verdict) -> None:
        """Leave the process alone for a while, longer each time; for good where its runtime cannot be read."""
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**self._failures)
        if verdict.outcome is Outcome.UNSUPPORTED_RUNTIME:
            pause_s = 1e9
        self._failures += 1
        self._failed = verdict
        self._retry_ns = self._clock.monotonic_ns() + round(pause_s * 1e9)
        self.say(verdict, "" if pause_s > LONGEST_PAUSE_S else f"; next try in {pause_s:.0f} s")

    def clear(self) -> None:
        """A window was taken: nothing stands in the way, and what comes next is said again."""
        self._failures = 0
        self._said = (Outcome.COMPLETE, "")

    def say(self, verdict: Verdict, more: str = "") -> None:
        """Log what stands in the way: once, not at each try. What is done by choice is in the windows."""
        self._status.note(verdict.outcome, verdict.code, verdict.reason)
        what = (verdict.outcome, verdict.reason)
        if verdict.outcome in _BY_CHOICE or what == self._said:
            return
        self._said = what
        process = self._target.process
        log.warning(
            "process %d of %s: %s: %s%s",
            process.pid,
            process.service,
            verdict.outcome,
            verdict.reason,
            more,
            extra={
                "pid": process.pid,
                "service": process.service,
                "outcome": verdict.outcome.value,
                "reason": code_of(verdict.outcome, verdict.code).value,
            },
        )


def _is_halted(pid: int, state: str) -> bool:
    """Whether a signal stopped the process. That stops all threads; only where the first has ended are others asked."""
    return state == sweep.STOPPED or (state in "ZX" and sweep.is_stopped(pid))
