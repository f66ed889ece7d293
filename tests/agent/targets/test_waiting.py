import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.targets import procfs, waiting
from pivotscope_agent.targets.waiting import Waiting, preempted_ns

BUSY = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
while True:
    pass
"""


class Threads:
    """A process's threads as /proc would tell of them: (wait, runs, preemptions) by id."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now: dict[int, tuple[int, int, int]] = {}
        self.looks = 0
        monkeypatch.setattr(waiting, "procfs", self)

    def thread_ids(self, _: int) -> list[int]:
        return list(self.now)

    def waits(self, _: int, thread: int) -> tuple[int, int]:
        if self.now[thread][1] < 0:
            raise ProcessGoneError
        return self.now[thread][:2]

    def preemptions(self, _: int, thread: int) -> int:
        self.looks += 1
        return self.now[thread][2]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    return Threads(monkeypatch)


@pytest.fixture
def pair() -> Iterator[int]:
    """Two busy processes on one processor; the first one's id."""
    core = str(max(os.sched_getaffinity(0)))
    both = [subprocess.Popen([sys.executable, "-c", BUSY, core]) for _ in range(2)]
    yield both[0].pid
    for one in both:
        one.kill()
        one.wait()


MS = 1_000_000


@pytest.mark.parametrize(
    ("wait", "runs", "preemptions", "expected"),
    [
        (900, 100, 100, 900),  # always preempted
        (900, 100, 50, 600),  # every second run follows a sleep and waits half as long
        (900, 100, 49, 0),  # mostly asleep, or handing a lock around
        (900, 100, 0, 0),
        (900, 100, 102, 900),  # the files are read one after the other
        (0, 0, 0, 0),
        (900, 0, 0, 0),
    ],
)
def test_only_waits_after_a_preemption_count(wait: int, runs: int, preemptions: int, expected: int) -> None:
    assert preempted_ns(wait, runs, preemptions) == expected


def test_what_was_before_the_first_reading_is_left_out(threads: Threads) -> None:
    threads.now = {1: (70 * MS, 10, 10)}
    account = Waiting(1)
    assert account.read() == 0
    threads.now = {1: (75 * MS, 20, 20)}
    assert account.read() == 5 * MS


def test_threads_come_and_go_and_the_total_never_falls(threads: Threads) -> None:
    threads.now = {1: (0, 0, 0)}
    account = Waiting(1)
    account.read()
    threads.now = {1: (2 * MS, 2, 2), 2: (3 * MS, 3, 3)}
    assert account.read() == 5 * MS
    threads.now = {1: (4 * MS, 4, 4)}
    assert account.read() == 7 * MS
    threads.now = {1: (4 * MS, 4, 4), 2: (2 * MS, 1, 1), 3: (0, -1, 0)}
    assert account.read() == 9 * MS
    threads.now = {}
    assert account.read() == 9 * MS


def test_small_waits_are_kept_until_they_add_up(threads: Threads) -> None:
    threads.now = {1: (0, 0, 0)}
    account = Waiting(1)
    account.read()
    for step in range(1, 4):
        threads.now = {1: (step * MS // 4, step, step)}
        assert account.read() == 0
    assert threads.looks == 1
    threads.now = {1: (MS, 4, 4)}
    assert account.read() == MS


def test_the_oldest_threads_are_read_and_no_history_is_booked_for_others(threads: Threads) -> None:
    many = range(waiting.MOST_THREADS + 50)
    threads.now = dict.fromkeys(many, (50 * MS, 5, 5))
    account = Waiting(1)
    account.read()
    threads.now = dict.fromkeys(many, (52 * MS, 7, 7))
    assert account.read() == waiting.MOST_THREADS * 2 * MS
    threads.now = dict.fromkeys(many[50:], (52 * MS, 7, 7))
    assert account.read() == waiting.MOST_THREADS * 2 * MS


def test_two_busy_processes_on_one_core_wait_as_long_as_they_run(pair: int) -> None:
    account = Waiting(pair)
    deadline = time.monotonic() + 20.0
    while procfs.cpu_ns(pair) < 200 * MS and time.monotonic() < deadline:
        time.sleep(0.02)
    start_cpu, start_wait, started = procfs.cpu_ns(pair), account.read(), time.monotonic_ns()
    while procfs.cpu_ns(pair) - start_cpu < 500 * MS and time.monotonic() < deadline:
        time.sleep(0.02)
    cpu, wait = procfs.cpu_ns(pair) - start_cpu, account.read() - start_wait
    assert wait > 0.6 * cpu
    assert cpu + wait == pytest.approx(time.monotonic_ns() - started, rel=0.15)


def test_a_kernel_that_tells_little_is_no_error(threads: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int, __: int) -> tuple[int, int]:
        raise PermissionError

    threads.now = {1: (0, 0, 0)}
    monkeypatch.setattr(threads, "waits", refuse)
    account = Waiting(1)
    assert (account.read(), account.read()) == (0, 0)


def test_a_process_that_ended_keeps_its_total() -> None:
    assert Waiting(4_194_304).read() == 0
    assert procfs.thread_ids(4_194_304) == []


def test_the_kernels_counters() -> None:
    me = os.getpid()
    wait, runs = procfs.waits(me, me)
    assert wait >= 0
    assert runs > 0
    assert procfs.preemptions(me, me) >= 0
    with pytest.raises(ProcessGoneError):
        procfs.waits(me, 4_194_304)
