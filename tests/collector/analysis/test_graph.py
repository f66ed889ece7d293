"""Call graphs: machine code folds into its callers, time flows to where it was spent."""

import pytest
from pivotscope.profile.calls import CallEdge, CallFunction
from pivotscope.profile.frame import Frame
from pivotscope.profile.function import Function
from pivotscope.profile.language import Language
from pivotscope_collector.analysis.breakdown import Spent
from pivotscope_collector.analysis.flow import spent_in
from pivotscope_collector.analysis.graph import simplify

MAIN, WORK, KEY, LIST = (
    Frame(name, "app.py", line) for line, name in enumerate(("main", "work", "key", "<listcomp>"), 1)
)
SLEEP, LEN, COMPRESS, SORTED = (
    Frame(f"<built-in method {name}>", native=True)
    for name in ("time.sleep", "builtins.len", "zlib.compress", "builtins.sorted")
)


def function(frame: Frame) -> Function:
    return Function("shop", Language.PYTHON, frame.path, "work" if frame == LIST else frame.name)


def record(frame: Frame, calls: int, own: float, total: float, *edges: CallEdge) -> CallFunction:
    return CallFunction(frame, calls, calls, own, total, edges)


def spent(*records: CallFunction) -> dict[str, Spent]:
    return {key.qualified_name: value for key, value in spent_in(simplify(records, function), lambda _: True).items()}


def test_time_flows_from_callers_to_callees() -> None:
    found = spent(record(MAIN, 1, 1.0, 4.0), record(WORK, 3, 3.0, 3.0, CallEdge(MAIN, 3, 3.0, 3.0)))
    assert (found["main"].own, found["main"].total) == (1.0, 4.0)
    assert {key.qualified_name: value for key, value in found["main"].beneath.items()} == pytest.approx(
        {"main": 1.0, "work": 3.0}
    )
    assert found["work"].calls == 3.0


def test_waiting_is_left_out_and_machine_code_is_native() -> None:
    found = spent(
        record(MAIN, 1, 1.0, 10.0),
        record(SLEEP, 1, 5.0, 5.0, CallEdge(MAIN, 1, 5.0, 5.0)),
        record(COMPRESS, 10, 4.0, 4.0, CallEdge(MAIN, 10, 4.0, 4.0)),
    )
    assert found["main"].total == pytest.approx(5.0)
    assert found["main"].native == pytest.approx(4.0)
    assert sum(found["main"].beneath.values()) == pytest.approx(1.0)


def test_little_builtins_are_the_callers_own_work() -> None:
    found = spent(record(MAIN, 1, 1.0, 1.1), record(LEN, 1_000_000, 0.1, 0.1, CallEdge(MAIN, 1_000_000, 0.1, 0.1)))
    assert found["main"].own == pytest.approx(1.1)
    assert found["main"].native == 0.0
    assert found["main"].overhead == pytest.approx(0.8, rel=0.01)


def test_time_flows_through_a_builtin_that_calls_back() -> None:
    found = spent(
        record(MAIN, 1, 1.0, 4.0),
        record(SORTED, 1, 1.0, 3.0, CallEdge(MAIN, 1, 1.0, 3.0)),
        record(KEY, 100, 2.0, 2.0, CallEdge(SORTED, 100, 2.0, 2.0)),
    )
    assert {key.qualified_name: round(value, 6) for key, value in found["main"].beneath.items()} == {
        "main": 2.0,
        "key": 2.0,
    }
    assert {caller.qualified_name for caller in found["key"].callers} == {"main"}


def test_machine_code_within_machine_code_belongs_to_the_source_function() -> None:
    found = spent(
        record(MAIN, 1, 1.0, 4.0),
        record(SORTED, 1, 1.0, 3.0, CallEdge(MAIN, 1, 1.0, 3.0)),
        record(COMPRESS, 1, 2.0, 2.0, CallEdge(SORTED, 1, 2.0, 2.0)),
    )
    assert found["main"].own == pytest.approx(4.0)
    assert found["main"].native == pytest.approx(3.0)


def test_wrappers_are_a_part_of_their_function() -> None:
    found = spent(record(WORK, 2, 1.0, 3.0), record(LIST, 2, 2.0, 2.0, CallEdge(WORK, 2, 2.0, 2.0)))
    assert (found["work"].own, found["work"].total, found["work"].calls) == (3.0, 3.0, 2.0)


def test_mutual_recursion_ends() -> None:
    found = spent(
        record(MAIN, 1, 0.0, 4.0),
        record(WORK, 10, 2.0, 4.0, CallEdge(MAIN, 1, 1.0, 4.0), CallEdge(KEY, 9, 1.0, 3.0)),
        record(KEY, 9, 2.0, 3.9, CallEdge(WORK, 9, 2.0, 3.9)),
    )
    assert sum(found["main"].beneath.values()) == pytest.approx(4.0, rel=1e-3)


def test_machine_code_between_very_many_stays() -> None:
    callers = [Frame(f"caller{n}", "app.py", 100 + n) for n in range(60)]
    callees = [Frame(f"callee{n}", "app.py", 200 + n) for n in range(60)]
    found = spent(
        *(record(caller, 1, 0.0, 1.0) for caller in callers),
        record(SORTED, 60, 0.0, 60.0, *(CallEdge(caller, 1, 0.0, 1.0) for caller in callers)),
        *(record(callee, 1, 1.0, 1.0, CallEdge(SORTED, 1, 1.0, 1.0)) for callee in callees),
    )
    assert len(found["caller0"].beneath) == 60
    assert sum(found["caller0"].beneath.values()) == pytest.approx(1.0)
    assert {caller.qualified_name for caller in found["callee0"].callers} == {SORTED.name}
