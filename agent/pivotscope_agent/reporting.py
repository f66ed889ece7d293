"""Gathers what there is to say about the agent, and tells the collector: at the start, every half minute, on change."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import Protocol

from pivotscope.v1 import agent_pb2 as pb

from pivotscope_agent import __version__
from pivotscope_agent.clock import Clock, next_beat
from pivotscope_agent.pipeline.export import ExportStatus
from pivotscope_agent.status import GovernorStatus, TargetState, TargetStatus
from pivotscope_agent.telemetry.counters import Counters
from pivotscope_agent.telemetry.message import encode
from pivotscope_agent.telemetry.report import Report, SpoolReport, StreamReport, own_usage

EVERY_S = 30.0
"""Time between two messages without a change."""
LOOK_S, APART_S = 1.0, 2.0
"""Time between two looks for a change, and between two messages at least."""
STUCK_S = 60.0
"""A part of the agent that did nothing for so long is stuck."""
_DISK_S = 1.0
_BY_CHOICE = frozenset({TargetState.STARTING, TargetState.SAMPLING, TargetState.SKIPPED})
"""Changes between these happen at every window."""


class Pipeline(Protocol):
    """What is asked of the pipeline."""

    @property
    def status(self) -> ExportStatus:
        """Where the stream stands."""

    @property
    def running(self) -> bool:
        """Whether it goes on by itself."""

    def tell(self, status: pb.AgentStatus) -> None:
        """Send a message when it can be sent."""


class Watch(Protocol):
    """What is asked of the search for processes."""

    scanned_ns: int

    @property
    def statuses(self) -> tuple[TargetStatus, ...]:
        """How each target fares."""


class Spool(Protocol):
    """What is asked of the spool; each question blocks as long as the disk does, but for the sequences."""

    @property
    def size(self) -> int:
        """Bytes held."""

    @property
    def on_disk(self) -> bool:
        """Whether records survive the agent."""

    @property
    def last(self) -> int:
        """The highest sequence given out."""

    @property
    def acknowledged(self) -> int:
        """The highest sequence that is done with."""

    def pending(self) -> int:
        """Records that wait."""


class Reporter:
    """Makes reports, and sends them until cancelled. `warnings` is for what others find and users should know."""

    def __init__(
        self,
        pipeline: Pipeline,
        watch: Watch,
        spool: Spool,
        *,
        governor: Callable[[], GovernorStatus],
        counters: Counters,
        clock: Clock,
        tools: Mapping[str, str],
        max_bytes: int,
    ) -> None:
        self.warnings: dict[str, str] = {}
        self._pipeline = pipeline
        self._watch = watch
        self._spool = spool
        self._governor = governor
        self._counters = counters
        self._clock = clock
        self._tools = dict(tools)
        self._max_bytes = max_bytes
        self._started_unix_ns = clock.unix_ns()
        self._spooled: deque[tuple[int, int]] = deque()
        self._spool_report = SpoolReport(max_bytes=max_bytes)

    async def run(self) -> None:
        """Tell the collector until cancelled."""
        told: Hashable = None
        told_ns = self._clock.monotonic_ns() - round(EVERY_S * 1e9)
        while True:
            self._mark()
            now, standing = self._clock.monotonic_ns(), self._standing()
            waited_s = (now - told_ns) / 1e9
            if waited_s >= EVERY_S or (standing != told and waited_s >= APART_S):
                self._pipeline.tell(encode(await self.report()))
                told, told_ns = standing, now
            await next_beat(self._clock, LOOK_S)

    async def report(self) -> Report:
        """Everything, as it is now. A disk that hangs is said, not waited for."""
        problems = self._problems()
        try:
            async with asyncio.timeout(_DISK_S):
                self._spool_report = await asyncio.to_thread(self._look_at_spool)
        except TimeoutError:
            problems.append("the disk under the spool does not answer")
        warnings = list(self.warnings.values())
        if not self._spool_report.on_disk:
            warnings.append("the spool takes nothing; records wait in memory and are lost when the agent ends")
        stream = self._pipeline.status
        return Report(
            sent_unix_ns=self._clock.unix_ns(),
            started_unix_ns=self._started_unix_ns,
            version=__version__,
            stream=StreamReport(
                state=stream.state,
                detail=stream.detail,
                since_unix_ns=stream.since_unix_ns,
                acknowledged_unix_ns=stream.acknowledged_unix_ns,
                clock_offset_ns=stream.clock_offset_ns,
                in_flight=stream.in_flight,
            ),
            governor=self._governor(),
            spool=self._spool_report,
            usage=own_usage(),
            tools=self._tools,
            counts=self._counters.snapshot(),
            targets=self._watch.statuses,
            problems=tuple(problems),
            warnings=tuple(warnings),
        )

    def _problems(self) -> list[str]:
        found = []
        silent_s = (self._clock.monotonic_ns() - self._watch.scanned_ns) / 1e9
        if silent_s > STUCK_S:
            found.append(f"the search for processes has not come to an end for {silent_s:.0f} s, see the agent's log")
        if not self._pipeline.running:
            found.append("the pipeline to the collector has ended, see the agent's log")
        return found

    def _standing(self) -> Hashable:
        """What of the report is told at once when it changes."""
        targets = sorted(
            (status.process.pid, status.process.started_unix_ns, _told_state(status)) for status in self._watch.statuses
        )
        status = self._pipeline.status
        return tuple(targets), status.state, status.since_unix_ns, tuple(self.warnings.values()), self._spool.on_disk

    def _mark(self) -> None:
        """Remember which sequences there were when: that is how old what waits is."""
        acknowledged, last = self._spool.acknowledged, self._spool.last
        while self._spooled and self._spooled[0][0] <= acknowledged:
            self._spooled.popleft()
        if last > acknowledged and (not self._spooled or last > self._spooled[-1][0]):
            self._spooled.append((last, self._clock.monotonic_ns()))

    def _look_at_spool(self) -> SpoolReport:
        oldest = self._spooled[0][1] if self._spooled else None
        pending = self._spool.pending()
        age_ns = self._clock.monotonic_ns() - oldest if oldest is not None and pending else 0
        return SpoolReport(self._spool.size, pending, age_ns / 1e9, self._spool.on_disk, self._max_bytes)


def _told_state(status: TargetStatus) -> str:
    return "" if status.state in _BY_CHOICE else f"{status.state} {status.code}"
