"""Two schedulers on one engine: what both compute, at the same moments, counts once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.jobs import plan
from pivotscope_collector.jobs.scheduler import Scheduler
from pivotscope_collector.scoring.settings import ScoringSettings
from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.expiry import expire
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.rows import Rows
from pivotscope_collector.store.writer import Writer

pytestmark = pytest.mark.engine

RUNS = 3


def _collector(client: Client, done: threading.Semaphore) -> Scheduler:
    """The jobs of one collector, each as often as it can; `done` counts runs of the roll-up."""
    clock, counters = SystemClock(), Counters()
    roll_up = RollUp(client, clock, Reception(client, clock), counters, margin_seconds=0.2, raw_days=14)

    def rolled() -> None:
        roll_up.run()
        done.release()

    scheduler = Scheduler(counters)
    scheduler.every(0.2, "roll-up", rolled)
    scheduler.every(0.2, "plan", lambda: plan.refresh(client, clock.unix_ns(), 24.0, ScoringSettings()))
    scheduler.every(0.2, "expiry", lambda: expire(client, clock.unix_ns(), 14))
    return scheduler


def test_recomputing_is_harmless(store: Client, window_rows: Callable[..., Rows]) -> None:
    clock = SystemClock()
    now = clock.unix_ns() // 10**9
    writer = Writer(store, Reception(store, clock), Counters(), 30.0)
    first = now // 60 * 60 - 3600
    for minute in range(10):
        writer.write(window_rows({(1, 2): 3 + minute, (1,): 1}, minute=first + 60 * minute, cpu_user_ns=10**9))
    selection = Selection(first * 10**9, (first + 1200) * 10**9)
    before = _sums(store, selection)
    twin = Client(path=store._path, url=store._url, database=store.database)
    done = threading.Semaphore(0)
    counted = [_collector(client, done) for client in (store, twin)]
    for scheduler in counted:
        scheduler.start()
    try:
        assert all(done.acquire(timeout=60) for _ in range(2 * RUNS))
        # Late, while both are at work.
        writer.write(window_rows({(1, 2): 5}, minute=first, cpu_user_ns=10**9))
        assert _until(lambda: not reader.locate(store, selection).dirty, done)
    finally:
        for scheduler in counted:
            scheduler.close()
        twin.close()
    assert all(scheduler._counters.get(Count.JOB_FAILURES) == 0 for scheduler in counted)
    after = _sums(store, selection)
    assert after == {"self": before["self"] + 5, "total": before["total"] + 10, "attributed_ns": 11 * 10**9}
    minutes = store.run("SELECT count() AS n, uniqExact(bucket, function_id) AS keys FROM functions_minute FINAL")
    assert minutes["n"] == minutes["keys"] == [20]
    plans = store.run("SELECT count() AS n, uniqExact(scope, as_of) AS keys FROM plans FINAL")
    assert plans["n"] == plans["keys"]


def _sums(store: Client, selection: Selection) -> dict[str, int]:
    functions, pools = reader.functions(store, selection), reader.pools(store, selection)
    found: dict[str, Any] = {name: sum(functions[name]) for name in ("self", "total")}
    return {**found, "attributed_ns": sum(pools["attributed_ns"])}


def _until(condition: Callable[[], bool], done: threading.Semaphore) -> bool:
    """Whether the condition comes true within some hundred runs of the jobs."""
    return any(condition() for _ in range(400) if done.acquire(timeout=60))
