"""From stored windows to a stored plan."""

import json
import time

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.ingest.decode import Origin, Received, decode
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.jobs import plan
from pivotscope_collector.scoring.settings import ScoringSettings
from pivotscope_collector.store import plans
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.writer import Writer

pytestmark = pytest.mark.engine


class _InAnHour(SystemClock):
    def unix_ns(self) -> int:
        return super().unix_ns() + 3600 * 10**9


def _fill(store: Client, now_ns: int) -> None:
    dictionary = Dictionary(Limits())
    made = pb.Definitions()
    batch = pb.Batch(sequence=1)
    for number, service in enumerate(("shop", "till"), 1):
        made.processes.add(id=number, service=service, pid=number, language=pb.LANGUAGE_PYTHON)
        made.functions.add(
            id=number,
            codebase=service,
            path="money.py",
            qualified_name="calculate",
            language=pb.LANGUAGE_PYTHON,
            owner=pb.OWNER_APPLICATION,
        )
        made.stacks.add(id=number, functions=[number])
        batch.codebases.add(codebase=service, total_files=10, total_lines=1000)
        for window in range(12):
            batch.windows.add(
                process=number,
                mode=pb.MODE_GIL,
                outcome=pb.OUTCOME_COMPLETE,
                started_unix_ns=now_ns - (20 + 10 * window) * 10**9,
                duration_ns=10**10,
                ticks=200,
                usage=pb.Usage(cpu_user_ns=5 * 10**9),
                stacks=[number],
                lines=[3],
                counts=[100],
                native_counts=[0],
            )
    dictionary.define(made)
    rows = decode([Received(batch, dictionary, Origin("a", 1))])
    assert rows is not None
    Writer(store, Reception(store, SystemClock()), Counters(), 30.0).write(rows)


def test_without_windows_there_is_no_plan(store: Client) -> None:
    assert plan.refresh(store, time.time_ns(), 24.0, ScoringSettings()) == 0
    assert plans.newest(store, plans.ALL) is None


def test_a_plan_for_all_and_one_for_each_codebase(store: Client) -> None:
    now_ns = time.time_ns()
    _fill(store, now_ns)
    assert plan.refresh(store, now_ns, 1.0, ScoringSettings()) == 3
    stored = plans.newest(store, plans.ALL)
    assert stored is not None
    document = json.loads(stored.document)
    assert document["total_files"] == 20
    assert {candidate["file"] for candidate in document["candidates"]} == {"money.py"}
    own = plans.newest(store, "till")
    assert own is not None
    assert json.loads(own.document)["total_files"] == 10
    scores = store.run("SELECT codebase, score FROM scores FINAL ORDER BY codebase")
    assert scores["codebase"] == ["shop", "till"]


def test_a_plan_that_says_the_same_is_not_stored_again(store: Client) -> None:
    now_ns = time.time_ns()
    _fill(store, now_ns)
    plan.refresh(store, now_ns, 1.0, ScoringSettings())
    assert plan.refresh(store, now_ns, 1.0, ScoringSettings()) == 0
    assert store.run("SELECT count() AS n FROM scores FINAL")["n"] == [2]


@pytest.mark.parametrize("hours_ago", [0, 12])
def test_many_raw_rows_are_left_to_the_roll_up(store: Client, hours_ago: int) -> None:
    now_ns = time.time_ns()
    _fill(store, now_ns - hours_ago * 3600 * 10**9)
    assert plan.refresh(store, now_ns, 24.0, ScoringSettings(), raw_rows=0) == 0
    RollUp(store, _InAnHour(), Reception(store, _InAnHour()), Counters(), margin_seconds=1.0, raw_days=14).run()
    assert plan.refresh(store, now_ns, 24.0, ScoringSettings(), raw_rows=0) == 3


def test_what_is_older_stays_in_a_plan_while_new_rows_are_many(store: Client) -> None:
    now_ns = time.time_ns()
    _fill(store, now_ns - 3600 * 10**9)
    RollUp(store, SystemClock(), Reception(store, _InAnHour()), Counters(), margin_seconds=1.0, raw_days=14).run()
    _fill(store, now_ns)
    assert plan.refresh(store, now_ns, 24.0, ScoringSettings(), raw_rows=0) == 3
