"""A spool on a real disk of a few megabytes that fills up, and turns read-only."""

import asyncio
import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.pipeline import state as states
from pivotscope_agent.pipeline.files import Files
from pivotscope_agent.pipeline.opening import open_spool
from pivotscope_agent.pipeline.spool import Spool, SpoolSettings
from pivotscope_agent.telemetry.counters import Count, Counters

from tests.faults.scene import why_no_small_disk

pytestmark = pytest.mark.e2e


class Ahead(SystemClock):
    """The machine's clock, and minutes that a test skips."""

    skipped_ns = 0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.skipped_ns

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.skipped_ns += round(seconds * 1e9)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    reason = why_no_small_disk()
    if reason:
        pytest.skip(reason)
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(spool: Spool, count: int) -> None:
    for _ in range(count):
        window = pb.Window(process=1, reason="x" * 10_000)
        spool.append(pb.Definitions(processes=[pb.Process(id=1)]), pb.Batch(windows=[window]))


def durable(spool: Spool) -> bool:
    return spool.on_disk


def sequences(spool: Spool) -> list[int]:
    return [record.sequence for record in spool.read(0, 1_000)]


def saved(folder: Path) -> int:
    state = states.load(folder, Files())
    assert state is not None
    return state.acknowledged


def test_a_disk_that_fills_up(disk: Path) -> None:
    clock, counters = Ahead(), Counters()
    spool = open_spool(SpoolSettings(disk), counters=counters, clock=clock)
    fill(spool, 150)  # 1.5 MB
    assert not durable(spool)
    assert counters.get(Count.SPOOL_ERRORS, errno.errorcode[errno.ENOSPC]) > 0
    assert sequences(spool) == list(range(1, 151))
    clock.skipped_ns += 10 * 10**9
    spool.acknowledge(40)
    assert saved(disk) == 40, "the state has room of its own"
    spool.acknowledge(120)
    clock.skipped_ns += 31 * 10**9
    fill(spool, 1)
    assert durable(spool), "acknowledged records made room"
    assert sequences(spool) == list(range(121, 152))
    spool.acknowledge(150)
    spool.close()
    again = open_spool(SpoolSettings(disk), counters=Counters(), clock=clock)
    assert sequences(again) == [151]
    again.close()


def test_a_full_disk_at_the_start(disk: Path) -> None:
    open_spool(SpoolSettings(disk), counters=Counters(), clock=SystemClock()).close()
    ballast = disk / "ballast"
    with pytest.raises(OSError, match="No space"):
        ballast.write_bytes(b"\0" * (2 << 20))
    clock = Ahead()
    spool = open_spool(SpoolSettings(disk), counters=Counters(), clock=clock)
    fill(spool, 3)
    assert not durable(spool)
    ballast.unlink()
    clock.skipped_ns += 31 * 10**9
    fill(spool, 3)
    assert durable(spool)
    assert sequences(spool) == list(range(1, 7))
    spool.close()


def test_a_disk_that_turns_read_only(disk: Path) -> None:
    clock, counters = Ahead(), Counters()
    spool = open_spool(SpoolSettings(disk, segment_bytes=20_000), counters=counters, clock=clock)
    fill(spool, 3)
    spool.acknowledge(2)
    # An open file would keep the disk busy: the segment is full when it turns.
    for segment in spool._segments:
        segment.seal(sync=False)
    spool._active = None
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    fill(spool, 3)
    assert not durable(spool)
    assert counters.get(Count.SPOOL_ERRORS, errno.errorcode[errno.EROFS]) > 0
    assert sequences(spool) == [3, 4, 5, 6]
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    clock.skipped_ns += 31 * 10**9
    fill(spool, 1)
    assert durable(spool)
    assert sequences(spool) == [3, 4, 5, 6, 7]
    spool.close()
