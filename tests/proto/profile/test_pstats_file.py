import cProfile
import marshal
import pstats
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pivotscope.profile.calls import CallEdge, CallFunction, Clock
from pivotscope.profile.errors import ProfileFormatError
from pivotscope.profile.frame import Frame
from pivotscope.profile.marshal_reader import read_marshal
from pivotscope.profile.pstats_file import parse_pstats

KEY = ("/a.py", 3, "f")
CALLER = ("/a.py", 1, "main")


def test_a_file_of_the_real_profiler(tmp_path: Path) -> None:
    def recurse(n: int) -> int:
        return n and recurse(n - 1)

    profile = cProfile.Profile()
    profile.runcall(lambda: (recurse(5), sorted([3, 1, 2])))
    path = tmp_path / "app.prof"
    profile.dump_stats(path)
    read = parse_pstats(path.read_bytes())
    by_name = {function.frame.name: function for function in read.functions}
    assert read.clock is Clock.WALL
    assert read.total_seconds == pytest.approx(sum(entry[2] for entry in pstats.Stats(str(path)).stats.values()))  # type: ignore[attr-defined]
    assert (by_name["recurse"].calls, by_name["recurse"].primitive_calls) == (6, 1)
    assert by_name["recurse"].frame.path == __file__
    assert {edge.caller.name: edge.calls for edge in by_name["recurse"].callers} == {"recurse": 5, "<lambda>": 1}
    assert by_name["<built-in method builtins.sorted>"].frame.native


def test_both_kinds_of_callers_are_read() -> None:
    stats = {KEY: (1, 2, 0.5, 1.5, {CALLER: (2, 1, 0.5, 1.5)}), ("~", 0, "<built-in>"): (1, 1, -0.0, 1, {KEY: 3})}
    assert parse_pstats(marshal.dumps(stats)).functions == (
        CallFunction(Frame("f", "/a.py", 3), 2, 1, 0.5, 1.5, (CallEdge(Frame("main", "/a.py", 1), 2, 0.5, 1.5),)),
        CallFunction(
            Frame("<built-in>", native=True), 1, 1, 0.0, 1.0, (CallEdge(Frame("f", "/a.py", 3), 3, 0.0, 0.0),)
        ),
    )


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ([1], "starts a '\\['"),
        ((1,), "found tuple"),
        ({"x": 1}, "not named by"),
        ({KEY: (1, 2)}, "f: expected"),
        ({KEY: (1, 2, float("nan"), 0.0, {})}, "nan is no time"),
        ({KEY: (1, 2, 0.0, 0.0, {CALLER: "x"})}, "main: expected"),
        ({KEY: compile("1", "x", "eval")}, "starts a 'c'"),
    ],
)
def test_errors_say_what_was_found(value: object, found: str) -> None:
    with pytest.raises(ProfileFormatError, match=found):
        parse_pstats(marshal.dumps(value))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"{", "cut off"),
        (b"(\xff\xff\xff\x7f", "beyond the end"),
        (b"(" + b"\x01\0\0\0(" * 50, "nested"),
        (b"r\0\0\0\0", "refers"),
        (b"\xa8\x01\0\0\0r\0\0\0\0", "refers"),
        (b"NN", "1 bytes follow"),
        (b"{{0N0", "cannot be one"),
        (b"f\x01x", "no number"),
    ],
)
def test_damaged_bytes_are_refused(data: bytes, found: str) -> None:
    with pytest.raises(ProfileFormatError, match=found):
        read_marshal(data, "cProfile")


ATOMS = st.none() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=12)


@settings(deadline=None)
@given(st.dictionaries(ATOMS, VALUES, max_size=5), st.sampled_from([0, 1, 2, 3, 4]))
def test_reads_what_marshal_writes(value: object, version: int) -> None:
    assert read_marshal(marshal.dumps(value, version), "cProfile") == value  # type: ignore[arg-type]
