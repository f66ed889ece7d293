"""Names that windows carry or lack, as options of commands: a canary of which the new process alone has a label."""

import time
from collections.abc import Callable, Iterator

import pytest
from pivotscope.v1 import agent_pb2 as pb
from pivotscope.v1 import query_pb2
from pivotscope_collector.api.selection import selection_of
from pivotscope_collector.clock import SystemClock
from pivotscope_collector.counters import Counters
from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.ingest.decode import Origin, Received, decode
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.settings import QueryLimits, Retention
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.expiry import kept
from pivotscope_collector.store.impact import ImpactReader
from pivotscope_collector.store.reception import Reception
from pivotscope_collector.store.selection import Selection
from pivotscope_collector.store.writer import Writer

from tests.bench.serving import serving
from tests.collector.api.conftest import Run

pytestmark = pytest.mark.engine

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
PROCESSES = (("1.0", "", "prod"), ("1.1", "new", ""))
"""Version, variant and environment; they share a host."""


def made(started_ns: int, process: int, sequence: int, windows: int) -> Received:
    """Windows of one process: two CPU-seconds in ten seconds, the first process with twice as much of `hot`."""
    version, variant, environment = PROCESSES[process - 1]
    definitions = pb.Definitions()
    definitions.processes.add(
        id=process,
        service="shop",
        version=version,
        variant=variant,
        environment=environment,
        host="h",
        pid=process,
        started_unix_ns=started_ns,
        language=pb.LANGUAGE_PYTHON,
    )
    for number, name in enumerate(("main", "hot"), start=1):
        definitions.functions.add(
            id=number,
            codebase="shop",
            language=pb.LANGUAGE_PYTHON,
            path="shop.py",
            qualified_name=name,
            owner=pb.OWNER_APPLICATION,
        )
        definitions.stacks.add(id=number, functions=range(1, number + 1))
    batch = pb.Batch(sequence=sequence)
    for index in range(windows):
        batch.windows.add(
            process=process,
            mode=pb.MODE_GIL,
            outcome=pb.OUTCOME_COMPLETE,
            started_unix_ns=started_ns + index * 10 * SECOND,
            duration_ns=10 * SECOND,
            rate_hz=10,
            ticks=100,
            usage=pb.Usage(cpu_user_ns=2 * SECOND, resident_bytes=process * 2**20),
            stacks=[1, 2],
            lines=[1, 2],
            counts=[8 + 4 * process, 12 - 4 * process],
            native_counts=[0, 0],
        )
    dictionary = Dictionary(Limits())
    dictionary.define(definitions)
    return Received(batch, dictionary, Origin("agent-1", process), started_ns)


@pytest.fixture(scope="module")
def canary(clean_stores: Callable[[], Client]) -> Client:
    """Both processes over two minutes, ten minutes ago."""
    store = clean_stores()
    started_ns = (time.time_ns() // MINUTE - 10) * MINUTE
    rows = decode([made(started_ns, process, 1, 12) for process in (1, 2)])
    assert rows is not None
    Writer(store, Reception(store, SystemClock()), Counters(), 30.0).write(rows)
    return store


@pytest.fixture(scope="module")
def address(canary: Client) -> Iterator[str]:
    with serving(canary, QueryLimits()) as address:
        yield address


@pytest.mark.parametrize(
    ("option", "value", "samples"),
    [
        ("--variant", "(none)", 240),
        ("--variant", "new", 240),
        ("--environment", "(none)", 240),
        ("--environment", "prod", 240),
        ("--release", "1.0", 240),
    ],
)
def test_windows_with_a_name_and_without_it(run: Run, option: str, value: str, samples: int) -> None:
    for _ in range(2):
        (main, *_) = run("hotspots", option, value, "--output", "json")
        assert (main["function"], main["samples"]) == ("main", samples)
    (everything, *_) = run("hotspots", "--output", "json")
    assert everything["samples"] == 480


def test_processes_of_versions_side_by_side_add_up(run: Run) -> None:
    assert "48 CPU-seconds in 2 processes at once, " in run("hotspots")
    assert "24 CPU-seconds in 1 process, " in run("hotspots", "--release", "1.0")


def test_the_arm_without_a_label_is_the_base_of_a_diff(run: Run) -> None:
    rows = run("diff", "--variant", "new", "--base-variant", "(none)", "--output", "json")
    hot = next(row for row in rows if row["function"] == "hot")
    assert (hot["base"], hot["value"]) == pytest.approx((0.4, 0.2))
    rows = run("diff", "--variant", "(none)", "--base-variant", "new", "--output", "json")
    hot = next(row for row in rows if row["function"] == "hot")
    assert (hot["base"], hot["value"]) == pytest.approx((0.2, 0.4))


def test_the_arm_without_a_label_is_compared(run: Run) -> None:
    document = run("compare", "--service", "shop", "--variant", "(none)", "new", "--output", "json")
    assert [document["arms"][name]["label"] for name in "ab"] == ["(none)", "new"]
    assert not document["design"]["shared_process"]


@pytest.mark.parametrize(
    ("names", "processes"),
    [({"variant": ""}, ["1"]), ({"variant": "new"}, ["2"]), ({"environment": ""}, ["2"]), ({}, ["1", "2"])],
)
def test_what_arms_stand_on_is_theirs(canary: Client, names: dict[str, str], processes: list[str]) -> None:
    now_ns = time.time_ns()
    where = {"service": "shop", **names, "since_ns": now_ns - 60 * MINUTE, "until_ns": now_ns}
    reader = ImpactReader(canary)
    assert [one.split("/")[1] for one in reader.processes(where)["identity"]] == processes
    measured = sum(reader.cpu(where, 3600 * SECOND, "python")["cpu_ns"])
    assert measured == pytest.approx(24 * SECOND * len(processes))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("hotspots --variant zz", r"unknown variant 'zz'; known: new, \(none\)$"),
        ("hotspots --service shop --environment test", r"unknown environment 'test'; known: prod, \(none\)$"),
        ("trend hot --release (none)", r"unknown version '\(none\)'; known: 1\.0, 1\.1$"),
        ("diff --variant new --base-variant old", "unknown variant 'old'"),
        ("flame --variant new --base-variant old", "unknown variant 'old'"),
        ("labels --environment test", "unknown environment 'test'"),
        ("compare --service shop --variant old new", r"unknown variant 'old'; known: new, \(none\)$"),
        ("compare --service shop --version 1.0 9", "unknown version '9'"),
    ],
)
def test_names_that_the_service_never_had_are_refused(run: Run, arguments: str, reason: str) -> None:
    with pytest.raises(NotFoundError, match=reason):
        run(*arguments.split())


def test_an_arm_without_windows_has_no_grade(run: Run) -> None:
    with pytest.raises(NotFoundError, match=r"neither processes nor metrics of before in that time, so nothing can"):
        run("compare", "--service", "shop", "--before", "3h..2h", "--after", "1h..now")
    with pytest.raises(NotFoundError, match=r"of \(none\) or new in that time"):
        run("compare", "--service", "shop", "--variant", "(none)", "new", "--since", "3h", "--until", "2h")


def test_what_a_selection_lacks_stands_in_its_conditions() -> None:
    wire = query_pb2.Selection(service="shop", version="1.0", without=["variant"], since_unix_ns=1, until_unix_ns=9)
    found = selection_of(wire, 9, Retention())
    assert found == Selection(1, 9, "shop", version="1.0", variant="", kept=kept(Retention(), 9))
    assert found.pools == "service = {service:String} AND version = {version:String} AND variant = {variant:String}"
    assert found.bound() == {"service": "shop", "version": "1.0", "variant": "", "since": 0, "until": 60}
    assert selection_of(query_pb2.Selection(since_unix_ns=1), 9, Retention()).pools == "1"


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (query_pb2.Selection(without=["service"]), "without 'service': expected one of environment, version, variant"),
        (query_pb2.Selection(variant="new", without=["variant"]), "variant 'new' and none at once"),
    ],
)
def test_selections_that_say_nothing_clear_are_refused(wire: query_pb2.Selection, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        selection_of(wire, 9, Retention())
