import os
import subprocess
import sys
import time

import pytest
from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.targets import procfs, waiting
from pivotscope_agent.targets.meter import Meter, Reading, usage_between

LINE = "42 (odd) name (x)) S 7 42 42 0 -1 4194560 100 0 0 0 15 5 0 0 20 0 3 0 12345 1000000 25 99999 7 8 9"
MISSING = 4_194_304


def test_parses_names_with_parentheses() -> None:
    stat = procfs.parse_stat(LINE)
    tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    assert (stat.pid, stat.name, stat.state, stat.parent) == (42, "odd) name (x)", "S", 7)
    assert (stat.user_ns, stat.system_ns, stat.threads, stat.start_ticks) == (15 * tick, 5 * tick, 3, 12345)
    assert stat.resident_bytes == 25 * os.sysconf("SC_PAGE_SIZE")
    assert stat.image == (7, 9)
    assert not stat.ended


@pytest.mark.parametrize("read", [procfs.stat, procfs.cmdline, procfs.environ, procfs.cgroup, procfs.cpu_ns])
def test_a_process_that_ended_is_an_error_of_its_own(read: object) -> None:
    with pytest.raises(ProcessGoneError, match="4194304"):
        read(MISSING)  # type: ignore[operator]


def test_what_may_be_missing_reads_as_nothing() -> None:
    assert procfs.executable(MISSING) == ""
    assert procfs.working_folder(MISSING) == ""
    assert procfs.io_bytes(MISSING) == (0, 0)
    assert procfs.proportional_bytes(MISSING) == 0
    assert not procfs.may_attach(MISSING)


def test_the_cpu_clock_is_the_exact_sum_of_proc_stat() -> None:
    me = os.getpid()
    before = procfs.stat(me)
    exact = procfs.cpu_ns(me)
    after = procfs.stat(me)
    tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    assert before.user_ns + before.system_ns - tick <= exact <= after.user_ns + after.system_ns + 2 * tick


def test_start_lies_in_the_past() -> None:
    started = procfs.started_unix_ns(procfs.stat(os.getpid()).start_ticks)
    assert 0 < time.time_ns() - started < 24 * 3600 * 10**9


def test_meter_reads_this_process_and_never_goes_back() -> None:
    meter = Meter(os.getpid(), procfs.stat(os.getpid()).start_ticks)
    first = meter.read()
    sum(range(200_000))
    second = meter.read()
    assert second.cpu_ns > first.cpu_ns
    assert second.resident_bytes > 0
    assert second.threads >= 1
    assert meter.last is second


def test_what_a_glance_saw_of_a_process_that_ends_is_not_lost() -> None:
    """Its parent took note of its end, so nothing can be read any more."""
    script = "print(sum(range(300_000)), flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    meter = Meter(process.pid, procfs.stat(process.pid).start_ticks)
    before = meter.read()
    assert process.stdout is not None
    process.stdout.readline()
    seen = procfs.cpu_ns(process.pid)
    meter.glance()
    assert meter.last is before, "a glance is no reading"
    process.communicate("\n")
    meter.glance()
    with pytest.raises(ProcessGoneError):
        meter.read()
    assert meter.last.cpu_ns >= seen > before.cpu_ns
    assert meter.last.system_ns == before.system_ns


def test_meter_reads_waits_when_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([0, 7])
    monkeypatch.setattr(waiting.Waiting, "read", lambda _: next(found))
    meter = Meter(os.getpid(), procfs.stat(os.getpid()).start_ticks)
    readings = [meter.read(waits=waits) for waits in (True, False, True, False)]
    assert [reading.run_delay_ns for reading in readings] == [0, 0, 7, 7]
    assert usage_between(readings[0], readings[-1]).run_delay_ns == 7


def test_meter_does_not_mistake_another_process_for_its_own() -> None:
    meter = Meter(os.getpid(), procfs.stat(os.getpid()).start_ticks + 1)
    with pytest.raises(ProcessGoneError):
        meter.read()


def test_usage_is_split_without_losing_a_nanosecond() -> None:
    before = Reading(1_000, 400, resident_bytes=5, read_bytes=10, written_bytes=20, threads=1)
    after = Reading(1_701, 600, resident_bytes=6, read_bytes=11, written_bytes=23, threads=2)
    usage = usage_between(before, after, 4)
    assert usage.cpu_user_ns + usage.cpu_system_ns == 701
    assert (usage.cpu_system_ns, usage.read_bytes, usage.written_bytes) == (200, 1, 3)
    assert (usage.resident_bytes, usage.proportional_bytes, usage.threads) == (6, 4, 2)
