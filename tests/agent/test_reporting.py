"""When the collector is told, and what is found to be wrong."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from pivotscope.profile.window import Outcome
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent import reporting
from pivotscope_agent.pipeline.export import ExportState, ExportStatus
from pivotscope_agent.reporting import Reporter
from pivotscope_agent.status import GovernorStatus, TargetStatus
from pivotscope_agent.telemetry.counters import Counters

from tests.agent.telemetry.conftest import SECOND, process


class SetClock:
    """Moves when a test moves it, and by what is slept."""

    def __init__(self) -> None:
        self.now = 1_000 * SECOND
        self.on_sleep: Callable[[], None] = lambda: None

    def monotonic_ns(self) -> int:
        return self.now

    def unix_ns(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)
        self.on_sleep()
        await asyncio.sleep(0)


@dataclass
class Parts:
    """Everything that is reported on, as a test wants it."""

    status: ExportStatus = field(default_factory=lambda: ExportStatus(ExportState.STREAMING, "", 0))
    running: bool = True
    told: list[pb.AgentStatus] = field(default_factory=list)
    scanned_ns: int = 1_000 * SECOND
    statuses: tuple[TargetStatus, ...] = ()
    size: int = 0
    on_disk: bool = True
    last: int = 0
    acknowledged: int = 0
    hangs: threading.Event | None = None

    def tell(self, status: pb.AgentStatus) -> None:
        self.told.append(status)

    def pending(self) -> int:
        if self.hangs is not None:
            self.hangs.wait(10)
        return self.last - self.acknowledged


def reporter_of(parts: Parts, clock: SetClock) -> Reporter:
    return Reporter(
        parts,
        parts,
        parts,
        governor=lambda: GovernorStatus(0.02, 0.01),
        counters=Counters(),
        clock=clock,
        tools={},
        max_bytes=1000,
    )


async def run_for(reporter: Reporter, clock: SetClock, looks: int, at: dict[int, Callable[[], object]]) -> None:
    done = asyncio.Event()
    count = 0

    def on_sleep() -> None:
        nonlocal count
        count += 1
        at.get(count, lambda: None)()
        if count == looks:
            done.set()

    clock.on_sleep = on_sleep
    task = asyncio.create_task(reporter.run())
    async with asyncio.timeout(30):
        await done.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_it_tells_at_the_start_and_every_half_minute() -> None:
    parts, clock = Parts(), SetClock()
    await run_for(reporter_of(parts, clock), clock, 65, {})
    assert [status.sent_unix_ns // SECOND - 1000 for status in parts.told] == [0, 30, 60]


async def test_it_tells_what_changed_and_not_each_window() -> None:
    parts, clock = Parts(), SetClock()
    target = TargetStatus(process())
    reporter = reporter_of(parts, clock)
    await run_for(
        reporter,
        clock,
        25,
        {
            5: lambda: setattr(parts, "statuses", (target,)),
            10: lambda: target.note(Outcome.COMPLETE),
            12: lambda: target.note(Outcome.SKIPPED),
            15: lambda: target.note(Outcome.ATTACH_DENIED, reason="no"),
            20: lambda: setattr(parts, "status", replace(parts.status, state=ExportState.UNREACHABLE)),
        },
    )
    assert [status.sent_unix_ns // SECOND - 1000 for status in parts.told] == [0, 5, 15, 20]
    assert parts.told[2].targets[0].reason_code == "attach_denied"


async def test_changes_do_not_flood() -> None:
    parts, clock = Parts(), SetClock()
    target = TargetStatus(process())
    parts.statuses = (target,)
    outcomes = [Outcome.ATTACH_DENIED, Outcome.COMPLETE]
    flips: dict[int, Callable[[], object]] = {
        number: partial(target.note, outcomes[number % 2]) for number in range(1, 20)
    }
    await run_for(reporter_of(parts, clock), clock, 19, flips)
    assert len(parts.told) <= 10


async def test_what_is_stuck_is_a_problem() -> None:
    parts, clock = Parts(), SetClock()
    reporter = reporter_of(parts, clock)
    assert (await reporter.report()).problems == ()
    clock.now += 61 * SECOND
    parts.running = False
    problems = (await reporter.report()).problems
    assert problems[0].startswith("the search for processes has not come to an end for 61 s")
    assert problems[1].startswith("the pipeline to the collector has ended")


async def test_a_disk_that_hangs_is_said_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "_DISK_S", 0.05)
    parts, clock = Parts(hangs=threading.Event()), SetClock()
    report = await reporter_of(parts, clock).report()
    assert parts.hangs is not None
    parts.hangs.set()
    assert report.problems == ("the disk under the spool does not answer",)


async def test_what_waits_has_an_age() -> None:
    parts, clock = Parts(last=5, acknowledged=5), SetClock()
    reporter = reporter_of(parts, clock)
    ages: list[float] = []

    async def look() -> None:
        ages.append((await reporter.report()).spool.oldest_age_s)

    await run_for(reporter, clock, 2, {})
    await look()
    parts.last = 6
    await run_for(reporter, clock, 10, {})
    await look()
    parts.last = 9
    await run_for(reporter, clock, 5, {})
    parts.acknowledged = 6
    await run_for(reporter, clock, 1, {})
    await look()
    parts.acknowledged = 9
    await look()
    assert ages[0] == 0.0
    assert ages[1] == pytest.approx(10.0)
    assert ages[2] == pytest.approx(6.0)
    assert ages[3] == 0.0


async def test_a_spool_in_memory_and_others_warnings_are_told() -> None:
    parts, clock = Parts(on_disk=False), SetClock()
    reporter = reporter_of(parts, clock)
    reporter.warnings["http"] = "no listener"
    first, second = (await reporter.report()).warnings
    assert first == "no listener"
    assert "in memory" in second
