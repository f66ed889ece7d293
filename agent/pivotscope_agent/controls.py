"""What the collector asked for, as it stands now, within the limits that this agent sets."""

from collections.abc import Iterable
from dataclasses import dataclass

from pivotscope.profile.window import Mode

from pivotscope_agent.clock import Clock
from pivotscope_agent.pipeline.control import DesiredState, FactsWanted
from pivotscope_agent.turns import Turns

FOREVER = -1
FACTS_EVERY_S = 60
"""Facts of a codebase are read again no sooner than this, however often they are asked for."""
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Pause:
    until_ns: int
    note: str


class Controls:
    """Rates, pauses and limits by service; the empty service stands for all that have no entry of their own.

    Nothing asked for goes beyond `highest_hz`, nor gets a service sampled that the settings leave out: a collector can
    have the agent do less, or do it at another rate.
    """

    def __init__(self, clock: Clock, highest_hz: int) -> None:
        self._clock = clock
        self._highest_hz = highest_hz
        self._rates: dict[str, int] = {}
        self._pauses: dict[str, _Pause] = {}
        self._targets: dict[str, int] = {}
        self._modes: dict[str, frozenset[Mode]] = {}
        self._asked: dict[str, int] = {}
        self._read_ns: dict[str, int] = {}
        self.turns = Turns()

    def replace(self, desired: DesiredState) -> list[str]:
        """Forget what was asked before and take this; codebases (empty: all) whose facts are to be read again now."""
        states = desired.services
        self._rates = {one.service: one.rate_hz for one in states if one.rate_hz}
        self._targets = {one.service: one.max_targets for one in states if one.max_targets}
        self._modes = {one.service: one.modes for one in states if one.modes}
        self._pauses = {one.service: self._pause(one.pause_seconds, one.note) for one in states if one.paused}
        return self._facts_due(desired.facts)

    def set_rate(self, service: str, rate_hz: int) -> None:
        """Sample at another rate, at most the highest allowed here; 0 goes back to the settings."""
        if rate_hz:
            self._rates[service] = rate_hz
        else:
            self._rates.pop(service, None)

    def pause(self, service: str, seconds: int) -> None:
        """Stop sampling for so long; 0 seconds: until resumed."""
        self._pauses[service] = self._pause(seconds, "")

    def resume(self, service: str) -> None:
        """Sample again; the empty service ends every pause."""
        if service:
            self._pauses.pop(service, None)
        else:
            self._pauses.clear()

    def rate(self, service: str, default_hz: int) -> int:
        """The rate asked for this service, at most the highest allowed here."""
        asked = self._rates.get(service, self._rates.get("", 0))
        return min(asked, self._highest_hz) if asked else default_hz

    def rate_reason(self, service: str) -> str:
        """Why the rate is not that of the settings, or not what was asked for; empty where nothing was asked."""
        asked = self._rates.get(service, self._rates.get("", 0))
        if asked > self._highest_hz:
            return f"{self._highest_hz} Hz: this agent's highest; the collector asks for {asked}"
        return f"{asked} Hz: the collector asks for it" if asked else ""

    def paused(self, service: str) -> str:
        """Why this service is paused now; empty where it is not."""
        now = self._clock.monotonic_ns()
        for name in (service, ""):
            pause = self._pauses.get(name)
            if pause is not None and (pause.until_ns == FOREVER or pause.until_ns > now):
                return f"paused by the collector: {pause.note}" if pause.note else "paused by the collector"
        return ""

    def max_targets(self, service: str) -> int:
        """Processes of this service that may be sampled at once; 0: no limit."""
        return self._targets.get(service, self._targets.get("", 0))

    def mode(self, service: str, chosen: Mode, others: Iterable[Mode] = ()) -> Mode | None:
        """`chosen` where windows of this service may have it, else the first of `others`; None: none is allowed."""
        allowed = self._modes.get(service, self._modes.get("", frozenset()))
        return next((mode for mode in (chosen, *others) if not allowed or mode in allowed), None)

    def _pause(self, seconds: int, note: str) -> _Pause:
        return _Pause(self._clock.monotonic_ns() + seconds * _SECOND if seconds else FOREVER, note)

    def _facts_due(self, wanted: Iterable[FactsWanted]) -> list[str]:
        """Codebases asked for since the last time, less those that were read a moment ago."""
        now, due = self._clock.monotonic_ns(), []
        for one in wanted:
            fresh = now - self._read_ns.get(one.codebase, -FACTS_EVERY_S * _SECOND) < FACTS_EVERY_S * _SECOND
            if one.asked_unix_ns > self._asked.get(one.codebase, 0) and not fresh:
                self._asked[one.codebase] = one.asked_unix_ns
                self._read_ns[one.codebase] = now
                due.append(one.codebase)
        return due
