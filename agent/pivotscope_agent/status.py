"""How each target and the governor fare: written where it is decided, read by everything that tells of the agent.

All of it lives on the agent's loop. `agents show`, /metrics and /healthz read the same values.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from pivotscope.profile.window import Mode, Outcome, Process, Window


class TargetState(StrEnum):
    """What is done with a selected process now."""

    STARTING = "starting"
    """Found; nothing is known yet."""
    SAMPLING = "sampling"
    SKIPPED = "skipped"
    """Left out by choice: a budget, a rotation over replicas, no free slot."""
    PAUSED = "paused"
    HALTED = "halted"
    """The process itself is stopped, by a debugger or a signal."""
    UNSUPPORTED = "unsupported"
    ATTACH_DENIED = "attach_denied"
    BACKING_OFF = "backing_off"
    """The sampler failed; it is tried again after a pause."""
    ENDED = "ended"


class Reason(StrEnum):
    """Codes for why something is not as asked for. Windows and logs carry the words, counters the code."""

    NONE = ""
    CPU_BUDGET = "cpu_budget"
    STOP_BUDGET = "stop_budget"
    ROTATION = "rotation"
    NO_SLOT = "no_slot"
    PROBE = "first_look"
    """A short window, to learn what looks at the process cost."""
    COLLECTOR = "asked_by_collector"
    RUNTIME = "unsupported_runtime"
    NO_SAMPLER = "no_sampler"
    HALTED = "process_stopped"
    DENIED = "attach_denied"
    FAILED = "sampler_failed"
    KILLED = "sampler_killed"
    ENDED_AT_ONCE = "sampler_ended_at_once"
    EARLY = "ended_early"
    EXITED = "target_exited"
    REST = "rest_of_cpu"
    INTERNAL = "internal_error"


_STATES = {
    Outcome.COMPLETE: TargetState.SAMPLING,
    Outcome.SKIPPED: TargetState.SKIPPED,
    Outcome.PAUSED: TargetState.PAUSED,
    Outcome.UNSUPPORTED_RUNTIME: TargetState.UNSUPPORTED,
    Outcome.ATTACH_DENIED: TargetState.ATTACH_DENIED,
    Outcome.SAMPLER_FAILED: TargetState.BACKING_OFF,
    Outcome.SAMPLER_KILLED: TargetState.BACKING_OFF,
    Outcome.TARGET_EXITED: TargetState.ENDED,
}
_CODES = {
    Outcome.UNSUPPORTED_RUNTIME: Reason.RUNTIME,
    Outcome.ATTACH_DENIED: Reason.DENIED,
    Outcome.SAMPLER_FAILED: Reason.FAILED,
    Outcome.SAMPLER_KILLED: Reason.KILLED,
    Outcome.TARGET_EXITED: Reason.EXITED,
    Outcome.PAUSED: Reason.COLLECTOR,
}
_RECENT_NS = 60e9
"""Time over which `sampler_cores` looks back, about."""


def code_of(outcome: Outcome, code: Reason = Reason.NONE) -> Reason:
    """The code that was given, else the one that an outcome implies."""
    return code or _CODES.get(outcome, Reason.NONE)


@dataclass(slots=True)
class TargetStatus:
    """One target, as its sampling loop and the governor fill it in.

    `asked_hz` is what settings or collector want, `rate_hz` and `mode` are those of the newest window with a sampler.
    `code` and `reason` say why `state`, rate or mode are not what was asked for. `sampler_cpu_ns` counts since the
    target was found; `sampler_cores` is CPU of its samplers over the last minute or so, as a part of a core.
    `stopped_ratio` is the part of that time for which samplers stopped it, None before its first window with one.
    """

    process: Process
    runtime: str = ""
    state: TargetState = TargetState.STARTING
    code: Reason = Reason.NONE
    reason: str = ""
    asked_hz: int = 0
    rate_hz: int = 0
    mode: Mode = Mode.NONE
    outcome: Outcome | None = None
    window_ended_unix_ns: int = 0
    window_ns: int = 0
    windows: Counter[Outcome] = field(default_factory=Counter)
    sampler_cpu_ns: Counter[Mode] = field(default_factory=Counter)
    sampler_cores: float = 0.0
    stopped_ratio: float | None = None
    _observed_ns: float = 0.0

    def note(self, outcome: Outcome, code: Reason = Reason.NONE, reason: str = "") -> bool:
        """Take in what is about to be done, or was; whether that differs from what was known."""
        code = code_of(outcome, code)
        state = TargetState.HALTED if code is Reason.HALTED else _STATES[outcome]
        changed = (state, reason) != (self.state, self.reason)
        self.state, self.code, self.reason = state, code, reason
        return changed

    def record(self, window: Window, code: Reason = Reason.NONE) -> None:
        """Take in a window that ended."""
        self.note(window.outcome, code, window.reason)
        self.outcome = window.outcome
        self.windows[window.outcome] += 1
        self.window_ended_unix_ns = window.started_unix_ns + window.duration_ns
        self.window_ns = window.duration_ns
        if window.mode is not Mode.NONE:
            self.rate_hz, self.mode = window.rate_hz, window.mode
            self.sampler_cpu_ns[window.mode] += window.sampler_cpu_ns
        if window.duration_ns > 0:
            self._remember(window)

    def _remember(self, window: Window) -> None:
        """Means over all that was seen, until that is more than a minute; from then on the old fades."""
        self._observed_ns = min(_RECENT_NS, self._observed_ns + window.duration_ns)
        weight = min(1.0, window.duration_ns / self._observed_ns)
        self.sampler_cores += weight * (window.sampler_cpu_ns / window.duration_ns - self.sampler_cores)
        if window.mode is not Mode.NONE or self.stopped_ratio is not None:
            before = self.stopped_ratio or 0.0
            self.stopped_ratio = before + weight * (window.stopped_ns / window.duration_ns - before)


@dataclass(frozen=True, slots=True)
class GovernorStatus:
    """What the governor holds to and where it stands. CPU in cores; `scale` is what it leaves of what was asked for.

    `stop_budget` is the part of the time for which a target may be stopped, None where that is not bounded.
    """

    cpu_budget: float
    cpu_used: float
    scale: float = 1.0
    stop_budget: float | None = None
    reason: str = ""
