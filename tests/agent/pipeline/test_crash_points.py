"""An agent that dies in the midst of any call on its spool's files: nothing is lost, nothing counts twice."""

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from pivotscope.profile.window import Usage, Window
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.pipeline.encode import encode
from pivotscope_agent.pipeline.files import Files
from pivotscope_agent.pipeline.opening import open_spool
from pivotscope_agent.pipeline.spool import Spool, SpoolSettings
from pivotscope_agent.telemetry.counters import Counters


class Killed(BaseException):
    """No handler of errors sees it, as none sees SIGKILL."""


class MortalFiles(Files):
    """Files of an agent that dies in the n-th of the calls that change something, half done where it can be."""

    def __init__(self, last: int) -> None:
        self.lock = -1
        self._left = last

    def lock_folder(self, folder: Path) -> int:
        self.lock = super().lock_folder(folder)
        return self.lock

    def _dies(self) -> bool:
        self._left -= 1
        return self._left == 0

    def create_append(self, path: Path) -> int:
        if self._dies():
            os.close(super().create_append(path))
            raise Killed
        return super().create_append(path)

    def write(self, descriptor: int, data: bytes) -> None:
        if self._dies():
            super().write(descriptor, data[: len(data) // 2])
            raise Killed
        super().write(descriptor, data)

    def reserve(self, path: Path, length: int) -> None:
        super().reserve(path, length)
        if self._dies():
            raise Killed

    def remove(self, path: Path) -> None:
        if self._dies():
            raise Killed
        super().remove(path)
        if self._dies():
            raise Killed


class Host:
    """A process that works, and a collector that keeps what it is sent by sequence."""

    def __init__(self, window: Window, folder: Path) -> None:
        self.used = 1_000
        self.first = -1
        self.stored: dict[tuple[int, int], int] = {}
        self.doubled = 0
        self._window = window
        self._folder = folder
        self._delivered = self.used

    def open(self, files: Files, max_bytes: int) -> Spool:
        settings = SpoolSettings(self._folder, max_bytes=max_bytes, segment_bytes=8_000, sync=False)
        spool = open_spool(settings, counters=Counters(), clock=SystemClock(), files=files)
        self._delivered = spool.ledger.begin(self._window.process, 5, self.used)
        spool.save()
        # A process counts from the moment at which an agent knew of it for good.
        self.first = self._delivered if self.first < 0 else self.first
        return spool

    def work(self, spool: Spool) -> None:
        """Use CPU and spool a window of it; what lies before, since another run, is its gap."""
        gap = self.used - self._delivered
        self.used += 100
        usage = Usage(cpu_user_ns=100)
        (window,) = spool.ledger.settle([replace(self._window, usage=usage, gap_cpu_ns=gap)])
        self._delivered = self.used
        (record,) = encode([window], clock_offset_ns=0, max_batch_bytes=1 << 20).records
        spool.append(record.definitions, record.batch)

    def send(self, spool: Spool, *, acknowledge: bool) -> None:
        """Hand over everything that waits."""
        for record in spool.read(0, 1_000):
            batch = pb.Batch.FromString(record.batch)
            cpu = sum(one.usage.cpu_user_ns + one.gap_cpu_ns for one in batch.windows)
            name = (spool.epoch, record.sequence)
            self.doubled += self.stored.setdefault(name, cpu) != cpu
        if acknowledge:
            spool.acknowledge(spool.last)


def live(host: Host, files: Files, max_bytes: int) -> int:
    """A run with acknowledgements, a time without a collector, and an end; how many records were dropped."""
    spool = host.open(files, max_bytes)
    for number in range(16):
        host.work(spool)
        if number in {2, 3, 14}:
            host.send(spool, acknowledge=number != 2)
    spool.close()
    return sum(spool.dropped.values())


@pytest.mark.parametrize(("max_bytes", "drops"), [(1 << 20, False), (16_000, True)])
def test_every_nanosecond_is_stored_once_whenever_the_agent_dies(
    *, window: Callable[..., Window], tmp_path: Path, max_bytes: int, drops: bool
) -> None:
    for last in count(1):
        host = Host(window(rows=1, reason="x" * 2_000), tmp_path / str(last))
        files = MortalFiles(last)
        try:
            dropped = live(host, files, max_bytes)
        except Killed:
            os.close(files.lock)
        else:
            break
        host.used += 7_000
        again = host.open(Files(), 1 << 20)
        host.work(again)
        host.send(again, acknowledge=True)
        again.close()
        assert (sum(host.stored.values()), host.doubled) == (host.used - host.first, 0), f"killed in call {last}"
    assert last > 30
    assert (dropped > 0) == drops
