"""Names beyond what a service may bring in a day: folded or refused, and never at the cost of counts."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pivotscope.profile.function import stack_id
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.ingest.cardinality import OTHER, Cardinality, Names, other_function
from pivotscope_collector.ingest.decode import Origin, Received
from pivotscope_collector.ingest.dictionary import Dictionary
from pivotscope_collector.ingest.gather import gather
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Partial
from pivotscope_collector.settings import NameBounds
from pivotscope_collector.store import rows as r
from pivotscope_collector.store.taken import Taken

NOW_NS = 1_795_000_000_000_000_000
DAY_NS = 86_400 * 10**9


class _Clock:
    now_ns = NOW_NS

    def unix_ns(self) -> int:
        return self.now_ns

    def monotonic(self) -> float:
        return self.now_ns / 1e9


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def counters() -> Counters:
    return Counters()


Make = Callable[..., tuple[Cardinality, Dictionary]]


@pytest.fixture
def bounded(clock: _Clock, counters: Counters) -> Make:
    """Makes a dictionary with bounds given by name."""

    def make(**bounds: int) -> tuple[Cardinality, Dictionary]:
        cardinality = Cardinality(NameBounds(**bounds), clock, counters)
        return cardinality, Dictionary(Limits(), names=Names(cardinality, "shop"))

    return make


def _definitions(functions: Any = 6, stacks: Any = 5, **process: Any) -> pb.Definitions:
    """Functions 1 …, and stacks of the first and another one."""
    made = pb.Definitions()
    made.processes.add(**{"id": 1, "service": "shop", "language": pb.LANGUAGE_PYTHON, **process})
    for number in range(1, functions + 1):
        made.functions.add(
            id=number, codebase="shop", language=pb.LANGUAGE_PYTHON, path="a.py", qualified_name=f"f{number}",
            owner=pb.OWNER_APPLICATION,
        )  # fmt: skip
    for number in range(1, stacks + 1):
        made.stacks.add(id=number, functions=[1, number + 1])
    return made


def _gathered(dictionary: Dictionary, **fields: Any) -> Any:
    batch = pb.Batch(sequence=1, **fields)
    for number in range(1, 6):
        batch.windows.add(
            process=1, mode=pb.MODE_GIL, outcome=pb.OUTCOME_COMPLETE, started_unix_ns=NOW_NS, duration_ns=10**10,
            ticks=200, usage=pb.Usage(cpu_user_ns=number), stacks=[number], lines=[0], counts=[number],
            native_counts=[0],
        )  # fmt: skip
    return gather([Received(batch, dictionary, Origin("a", 1), NOW_NS)], Limits())


def test_stacks_beyond_the_bound_keep_leaf_and_samples(bounded: Make, counters: Counters) -> None:
    cardinality, dictionary = bounded(stacks=2)
    dictionary.define(_definitions())
    gathered = _gathered(dictionary)
    assert gathered.verdicts == [None]
    rows = gathered.rows
    assert rows.samples.count.tolist() == [1, 2, 3, 4, 5]
    names = {key: row[4] for key, row in rows.functions.items()}
    stacks = [[names[one] for one in rows.stacks[key].tolist()] for key in rows.samples.stack_id.tolist()]
    assert stacks == [["f1", "f2"], ["f1", "f3"], [OTHER, "f4"], [OTHER, "f5"], [OTHER, "f6"]]
    for key in rows.samples.stack_id.tolist():
        assert key == stack_id(rows.stacks[key].tolist())
    (reached,) = cardinality.reached()
    assert (reached.kind, reached.scope, reached.bound, reached.beyond) == ("stacks", "shop", 2, 3)
    assert counters.get(Count.NAMES_FOLDED, "stacks") == 3


def test_functions_beyond_the_bound_are_one(bounded: Make) -> None:
    _, dictionary = bounded(functions=3)
    dictionary.define(_definitions())
    rows = _gathered(dictionary).rows
    names = {key: row[4] for key, row in rows.functions.items()}
    assert sorted(names.values()) == [OTHER, "f1", "f2", "f3"]
    ids = rows.samples.stack_id.tolist()
    assert ids[2] == ids[3] == ids[4]
    assert [names[one] for one in rows.stacks[ids[4]].tolist()] == ["f1", OTHER]
    assert rows.samples.count.sum() == 15


@pytest.mark.parametrize("kind", ["service", "environment", "version", "variant", "instance"])
def test_names_of_processes_beyond_the_bound_are_folded(bounded: Make, kind: str) -> None:
    _, dictionary = bounded(**{f"{kind}s": 2})
    for number in range(1, 5):
        dictionary.define(_definitions(**{"id": number, kind: f"n{number}"}))
    row = {number: dict(zip(r.WINDOW[1:], place[:5], strict=False)) for number, place in dictionary.places.items()}
    index = {"service": 0, "environment": 1, "version": 2, "variant": 3, "instance": 5}[kind]
    found = [dictionary.places[number][index] for number in sorted(row)]
    assert found == ["n1", "n2", OTHER, OTHER]
    dictionary.define(_definitions(**{"id": 5, kind: "n1"}))
    assert dictionary.places[5][index] == "n1"


def test_series_beyond_the_bound_are_refused_with_their_code(bounded: Make) -> None:
    _, dictionary = bounded(series=1)
    made = _definitions()
    for number in (1, 2):
        made.series.add(
            id=number, service="shop", name="orders", kind=pb.METRIC_KIND_COUNTER, role=pb.METRIC_ROLE_REQUESTS,
            labels={"user": str(number)},
        )  # fmt: skip
    dictionary.define(made)
    points = [pb.MetricPoint(series=number, unix_ns=NOW_NS, value=1.0) for number in (1, 2)]
    gathered = _gathered(dictionary, points=points)
    (verdict,) = gathered.verdicts
    assert isinstance(verdict, Partial)
    (part,) = verdict.parts
    assert (part.kind, part.position) == (pb.PART_KIND_POINT, 1)
    assert part.refusal.reason == pb.REJECTION_REASON_CARDINALITY
    assert "more series today" in part.refusal.detail
    assert len(gathered.rows.points) == 1
    assert len(gathered.rows.windows) == 5


@pytest.mark.parametrize("kind", ["service", "environment", "version", "variant", "instance"])
def test_series_with_a_name_beyond_its_bound_are_refused(bounded: Make, counters: Counters, kind: str) -> None:
    _, dictionary = bounded(**{f"{kind}s": 2})
    made = pb.Definitions()
    for number in range(1, 5):
        names = {"service": "shop", kind: f"n{number}"}
        made.series.add(
            id=number, name="orders", kind=pb.METRIC_KIND_COUNTER, role=pb.METRIC_ROLE_REQUESTS, **names
        )  # fmt: skip
    dictionary.define(made)
    assert sorted(dictionary.series) == [1, 2]
    refusal = dictionary.missing("series", 3, "points[0]")
    assert refusal.reason == pb.REJECTION_REASON_CARDINALITY
    assert f"its {kind} is beyond the {kind}s" in refusal.detail
    assert counters.get(Count.NAMES_FOLDED, f"{kind}s") == 2


def test_a_new_day_begins_anew(bounded: Make, clock: _Clock) -> None:
    cardinality, dictionary = bounded(versions=1)
    dictionary.define(_definitions(version="one"))
    dictionary.define(_definitions(id=2, version="two"))
    assert len(cardinality.reached()) == 1
    clock.now_ns += DAY_NS
    dictionary.define(_definitions(id=3, version="two"))
    assert dictionary.places[3][2] == "two"
    assert cardinality.reached() == []


def test_names_of_the_day_before_stay_admitted_beyond_the_bound(bounded: Make, clock: _Clock) -> None:
    """What was stored before midnight, and comes again after it, comes under the same names."""
    _, dictionary = bounded(services=1, versions=1)
    dictionary.define(_definitions(version="old"))
    clock.now_ns += DAY_NS
    for number, names in enumerate([("shop", "new"), ("shop", "old"), ("shop", "newer"), ("other", "old")], 1):
        dictionary.define(_definitions(id=number, service=names[0], version=names[1]))
    found = [dictionary.places[number][:3:2] for number in range(1, 5)]
    assert found == [("shop", "new"), ("shop", "old"), ("shop", OTHER), (OTHER, "old")]
    clock.now_ns += DAY_NS
    dictionary.define(_definitions(id=5, version="first"))
    dictionary.define(_definitions(id=6, version="new"))
    dictionary.define(_definitions(id=7, version="newer"))
    assert [dictionary.places[number][2] for number in (5, 6, 7)] == ["first", "new", OTHER]


def test_names_that_the_store_has_are_taken_up_and_no_others_where_their_bound_was_reached(bounded: Make) -> None:
    cardinality, dictionary = bounded(versions=2)
    today = NOW_NS // DAY_NS
    cardinality.take_up(
        [
            Taken(today - 1, "shop", versions=["before", OTHER]),
            Taken(today, "shop", versions=["v1"]),
            Taken(today - 1, "till", versions=["v1"]),
            Taken(today, "till", versions=["v2", OTHER], variants=["canary"]),
        ]
    )
    for number, version in enumerate(["v2", "v3", "v4", "v1", "before"], 1):
        dictionary.define(_definitions(id=number, version=version))
    assert [dictionary.places[number][2] for number in range(1, 6)] == ["v2", "v3", OTHER, "v1", "before"]
    for number, version in enumerate(["v3", "v2", "v1"], 1):
        dictionary.define(_definitions(id=number, service="till", version=version, variant="stable"))
    assert [dictionary.places[number][2] for number in range(1, 4)] == [OTHER, "v2", "v1"]
    assert dictionary.places[1][3] == "stable"


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from(["functions", "stacks"]), st.integers(1, 6)),
    st.integers(0, 1),
    st.lists(st.tuples(st.integers(1, 6), st.integers(1, 5)), min_size=1, max_size=4),
)
def test_no_sample_is_ever_lost_to_a_bound(bounds: dict[str, int], others: int, defined: list[tuple[int, int]]) -> None:
    """`others`: codebases that came before, of which there may be one."""
    cardinality = Cardinality(NameBounds(codebases=1, **bounds), _Clock(), Counters())
    for key in range(others):
        cardinality.admits("codebases", "all agents", key)
    dictionary = Dictionary(Limits(), names=Names(cardinality, ""))
    for functions, stacks in defined:
        dictionary.define(_definitions(functions, min(stacks, functions - 1)))
    dictionary.define(_definitions())
    gathered = _gathered(dictionary)
    assert gathered.verdicts == [None]
    assert gathered.rows.samples.count.tolist() == [1, 2, 3, 4, 5]
    distinct = set(gathered.rows.samples.stack_id.tolist())
    for key in distinct:
        members = gathered.rows.stacks[key].tolist()
        assert stack_id(members) == key
        assert all(one in gathered.rows.functions for one in members)
    own = {row[0] for row in gathered.rows.functions.values() if row[4] != OTHER}
    assert len(own) <= bounds.get("functions", 6)
    bucket = other_function(OTHER, "python")[0]
    whole = [key for key in distinct if gathered.rows.stacks[key].tolist()[0] != bucket]
    assert len(whole) <= max(bounds.get("stacks", 5), others)
