import threading

from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.errors import StoreError
from pivotscope_collector.jobs.scheduler import Scheduler


def test_a_job_that_fails_runs_again_and_stops_no_other() -> None:
    counters = Counters()
    scheduler = Scheduler(counters)
    again, other = threading.Event(), threading.Event()

    def fails() -> None:
        if counters.get(Count.JOB_FAILURES, "fails"):
            again.set()
        raise StoreError("the store is away")

    def breaks() -> None:
        raise ZeroDivisionError

    scheduler.every(0.01, "fails", fails)
    scheduler.every(0.01, "breaks", breaks)
    scheduler.every(0.01, "fine", other.set)
    scheduler.start()
    try:
        assert again.wait(20)
        assert other.wait(20)
    finally:
        scheduler.close()
    assert counters.get(Count.JOB_FAILURES, "breaks") >= 1
    assert counters.get(Count.JOB_RUNS, "fine") >= 1


def test_a_slow_job_overlaps_neither_itself_nor_others_and_close_waits_for_it() -> None:
    scheduler = Scheduler(Counters())
    started, release = threading.Event(), threading.Event()
    running: list[int] = []
    most: list[int] = []

    def slow() -> None:
        running.append(1)
        most.append(len(running))
        started.set()
        release.wait(20)
        running.pop()

    scheduler.every(0.01, "slow", slow)
    scheduler.every(0.01, "slow, too", slow)
    scheduler.start()
    assert started.wait(20)
    closer = threading.Thread(target=scheduler.close)
    closer.start()
    release.set()
    closer.join(20)
    assert not closer.is_alive()
    assert running == []
    assert max(most) == 1


def test_work_that_takes_too_long_is_left_out_for_a_while() -> None:
    now = [100.0]
    scheduler = Scheduler(Counters(), now=lambda: now[0])
    ran: list[float] = []

    def work() -> None:
        ran.append(now[0])
        now[0] += 2.0

    for _ in range(30):
        scheduler.run("plan", work, share=0.1)
        now[0] += 1.0
    assert ran == [100.0, 120.0]
