"""Trends of a service that was released twice and counts its requests."""

import time

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1 import query_pb2
from pivotscope_collector.api.ranking import Known
from pivotscope_collector.api.trend import get_trend
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.errors import UsageError
from pivotscope_collector.ingest.decode import Origin, Received, decode
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.judge import judge
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.writer import Writer

pytestmark = pytest.mark.engine

SECOND = 1_000_000_000
MINUTES, RELEASED, COUNTED = 80, 40, 10
WINDOWS = 4


@pytest.fixture(scope="module")
def started_ns() -> int:
    return (time.time_ns() // SECOND // 60 - MINUTES - 2) * 60 * SECOND


@pytest.fixture(scope="module")
def released(module_store: Client, started_ns: int) -> Client:
    """hot takes half of the CPU, from version 2 on three quarters; 120 requests a minute from minute ten on."""
    definitions = pb.Definitions()
    for number in (1, 2):
        definitions.processes.add(
            id=number, service="shop", version=f"{number}.0", host="h", pid=number, language=pb.LANGUAGE_PYTHON
        )
        definitions.functions.add(
            id=number, codebase="shop", language=pb.LANGUAGE_PYTHON, path="shop.py",
            qualified_name=("main", "hot")[number - 1], owner=pb.OWNER_APPLICATION,
        )  # fmt: skip
    definitions.stacks.add(id=1, functions=[1])
    definitions.stacks.add(id=2, functions=[1, 2])
    definitions.series.add(
        id=1, service="shop", instance="h:1", name="requests_total", kind=pb.METRIC_KIND_COUNTER,
        role=pb.METRIC_ROLE_REQUESTS,
    )  # fmt: skip
    batch = pb.Batch(sequence=1)
    for index in range(MINUTES * WINDOWS):
        later = index >= RELEASED * WINDOWS
        hot = (15 if later else 10) + (-1, 1, 0, 0)[index % 4]
        batch.windows.add(
            process=1 + later, mode=pb.MODE_GIL, outcome=pb.OUTCOME_COMPLETE,
            started_unix_ns=started_ns + index * 60 // WINDOWS * SECOND, duration_ns=15 * SECOND, rate_hz=10, ticks=150,
            usage=pb.Usage(cpu_user_ns=2 * SECOND), stacks=[1, 2], lines=[1, 2], counts=[20 - hot, hot],
            native_counts=[0, 0],
        )  # fmt: skip
    for index in range(COUNTED * 2, MINUTES * 2 + 1):
        batch.points.add(
            series=1, unix_ns=started_ns + index * 30 * SECOND, start_unix_ns=started_ns, value=60.0 * index
        )
    dictionary = Dictionary(Limits())
    dictionary.define(definitions)
    received = Received(batch, dictionary, Origin("agent", 1), time.time_ns())
    assert judge(received, Limits()).clean
    rows = decode([received])
    assert rows is not None
    Writer(module_store, Reception(module_store, SystemClock()), Counters(), 30.0).write(rows)
    return module_store


@pytest.fixture
def selection(started_ns: int) -> Selection:
    return Selection(started_ns, started_ns + MINUTES * 60 * SECOND)


def _ask(client: Client, selection: Selection, by: str = "", step: int = 0) -> query_pb2.GetTrendResponse:
    request = query_pb2.GetTrendRequest(function="hot", by=by, step_seconds=step)
    return get_trend(client, Known(client, 64), selection, request)


def test_since_when_and_with_which_version(released: Client, selection: Selection, started_ns: int) -> None:
    verdict = _ask(released, selection).verdict
    assert (verdict.state, verdict.version, verdict.measure) == ("higher", "2.0", "share")
    assert verdict.since_unix_ns == started_ns + RELEASED * 60 * SECOND
    (change,) = verdict.changes
    assert change.before.estimate == pytest.approx(0.5, abs=0.01)
    assert change.after.low <= 0.75 <= change.after.high
    assert "50.0 % → 75.0 % of the service's CPU, in one step" in verdict.text


def test_version_by_version(released: Client, selection: Selection, started_ns: int) -> None:
    one, two = _ask(released, selection, "version").versions
    assert (one.version, two.version) == ("1.0", "2.0")
    assert two.first_unix_ns == one.last_unix_ns == started_ns + RELEASED * 60 * SECOND
    assert one.total_share.low < 0.5 < one.total_share.high
    assert two.total_share.estimate == pytest.approx(0.75)
    assert not one.HasField("change")
    assert two.change.low < 1.5 < two.change.high
    assert 1.4 < two.change.low < two.change.high < 1.6
    assert two.total_cpu_seconds.estimate == pytest.approx(240.0)


def test_cpu_a_request(released: Client, selection: Selection) -> None:
    found = _ask(released, selection, "request")
    assert found.no_requests == ""
    assert found.verdict.measure == "cpu_seconds_per_request"
    per_minute = [point.cpu_seconds_per_request.estimate for point in found.points if point.requests]
    assert len(per_minute) < len(found.points)
    assert per_minute[-2] == pytest.approx(8.0 * 0.75 / 120)
    assert "33.3 → 50.0 ms of CPU a request" in found.verdict.text


@pytest.mark.parametrize("end", [0, -1])
def test_cut_steps_have_cpu_and_requests_of_the_same_time(released: Client, started_ns: int, end: int) -> None:
    """Steps of five minutes over four hours that begin, or end, two minutes into a step."""
    first, last = (started_ns // SECOND + minutes * 60 for minutes in (RELEASED, MINUTES - 2))
    cut = (-(-first // 300) if end == 0 else last // 300) * 300 + 120
    since = cut if end == 0 else cut - 4 * 3600
    found = _ask(released, Selection(since * SECOND, (since + 4 * 3600) * SECOND), "request", 300)
    assert found.verdict.step_seconds == 300
    point = found.points[end]
    assert point.unix_ns == (cut - 120) * SECOND
    assert point.requests == pytest.approx(120 * (3 if end == 0 else 2))
    assert point.cpu_seconds_per_request.estimate == pytest.approx(8.0 * 0.75 / 120, rel=0.02)


def test_the_verdict_is_that_of_longer_steps_whatever_the_rows(released: Client, started_ns: int) -> None:
    """Over six hours steps of five minutes suit the range; rows may be of one."""
    until = (started_ns // SECOND + MINUTES * 60) // 300 * 300
    chosen = Selection((until - 6 * 3600) * SECOND, until * SECOND)
    coarse, fine = (_ask(released, chosen, step=step) for step in (300, 60))
    assert fine.verdict.step_seconds == 300
    assert fine.verdict == coarse.verdict
    assert {point.unix_ns // SECOND % 300 for point in fine.points} == {0, 60, 120, 180, 240}
    counted = _ask(released, chosen, "request", 60)
    assert (counted.verdict.measure, counted.verdict.step_seconds) == ("cpu_seconds_per_request", 300)
    assert counted.verdict.level.estimate == pytest.approx(8.0 * 0.75 / 120, rel=0.1)


@pytest.mark.parametrize(
    ("days", "shown", "step"), [(2, 60, 3600), (90, 3600, 86_400), (3650, 86_400, 4 * 604_800), (2, 420, 1260)]
)
def test_a_verdict_takes_few_steps_of_any_range(released: Client, days: int, shown: int, step: int) -> None:
    until = 1_793_577_600
    found = _ask(released, Selection((until - days * 86_400) * SECOND, until * SECOND), step=shown)
    assert (found.step_seconds, found.verdict.step_seconds) == (shown, step)


def test_no_requests_is_said(released: Client, started_ns: int) -> None:
    early = Selection(started_ns, started_ns + (COUNTED - 2) * 60 * SECOND)
    found = _ask(released, early, "request")
    assert "cover no whole step" in found.no_requests
    assert found.verdict.measure == "share"
    assert not any(point.requests for point in found.points)


def test_an_unknown_way_is_refused(released: Client, selection: Selection) -> None:
    with pytest.raises(UsageError, match="expected version or request"):
        _ask(released, selection, "moon")
