import gzip
import marshal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pivotscope.profile.calls import CallProfile, SampledProfile
from pivotscope.profile.detect import read_profile
from pivotscope.profile.errors import ProfileFormatError
from pivotscope.profile.frame import Frame, RawStack
from pivotscope.profile.pyspy import parse_pyspy
from pivotscope.profile.rbspy import parse_rbspy

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize(
    ("file", "tool"),
    [
        ("pyspy_active.raw", "py-spy raw"),
        ("pyspy_native_311.raw", "py-spy raw"),
        ("pyspy_threads.raw", "py-spy raw"),
        ("rbspy.collapsed", "rbspy collapsed"),
        ("pyspy.speedscope.json", "speedscope"),
        ("rbspy.speedscope.json", "speedscope"),
        ("rbspy.pprof.gz", "pprof"),
        ("rubyprof.flat.txt", "ruby-prof"),
        ("rubyprof.graph.txt", "ruby-prof"),
    ],
)
def test_every_format_is_known_by_its_content(file: str, tool: str) -> None:
    assert read_profile((DATA / file).read_bytes(), file).tool == tool


@pytest.mark.parametrize("version", [0, 1, 2, 3, 4])
def test_marshalled_files_of_every_version_are_cprofile(version: int) -> None:
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, dict[str, int]]] = {
        ("/a.py", 3, "f"): (1, 1, 0.5, 0.5, {})
    }
    assert read_profile(marshal.dumps(stats, version), "app.prof").tool == "cProfile"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"import os\nprint(1)\n", "begins with 'import os'"),
        (b"<?xml version='1.0'?><svg>", "picture"),
        (gzip.compress(b"rbspy02\n{}", mtime=0), "rbspy report"),
        (b"\x80\x04\x95\0\xff", "binary"),
        (b'{"a": 1', "speedscope, line 1"),
        (b"f (/a.py:1) 3\nf (/a.py:1)\n", "py-spy raw, line 2"),
    ],
)
def test_errors_name_the_file_and_what_was_found(data: bytes, found: str) -> None:
    with pytest.raises(ProfileFormatError, match=found) as caught:
        read_profile(data, "some.prof")
    assert str(caught.value).startswith("some.prof")
    assert caught.value.source == "some.prof"


SEEDS = [path.read_bytes() for path in sorted(DATA.iterdir())]
STARTS = [b"", b"\x1f\x8b\x08", b"{", b'{"', b"{(", b"\xfb\xa9\x03", b"Measure Mode: wall_time\n", b"a - b:1;"]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real file with a piece cut out and another put in its place."""
    data = draw(st.sampled_from(SEEDS))
    start = draw(st.integers(0, len(data)))
    return data[:start] + draw(st.binary(max_size=20)) + data[draw(st.integers(start, len(data))) :]


@settings(deadline=None)
@given(st.one_of(damaged(), st.tuples(st.sampled_from(STARTS), st.binary()).map(b"".join)))
@example(b"{(\x03\0\0\0r")
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        profile = read_profile(data, "x")
    except ProfileFormatError:
        return
    assert isinstance(profile, SampledProfile | CallProfile)


@settings(deadline=None)
@given(st.binary().map(lambda data: gzip.compress(data, mtime=0)))
def test_arbitrary_gzipped_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_profile(data, "x")
    except ProfileFormatError:
        return


PATHS = st.text("ab ö:-.→/", min_size=1).map(lambda text: f"/{text}.py")
NAMES = st.sampled_from(["f", "A.inner", "outer.<locals>.inner", "<module>", "größe"])
STACKS = st.lists(
    st.builds(
        RawStack,
        st.lists(st.builds(Frame, NAMES, PATHS, st.integers(1, 10**6)), min_size=1, max_size=5).map(tuple),
        st.integers(1, 10**9),
    ),
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(STACKS)
def test_py_spy_round_trip(stacks: list[RawStack]) -> None:
    lines = [";".join(f"{f.name} ({f.path}:{f.line})" for f in s.frames) + f" {s.count}" for s in stacks]
    assert parse_pyspy("\n".join(lines)) == tuple(stacks)


@settings(max_examples=40, deadline=None)
@given(STACKS)
def test_rbspy_round_trip(stacks: list[RawStack]) -> None:
    lines = [";".join(f"{f.name} - {f.path}:{f.line}" for f in s.frames) + f" {s.count}" for s in stacks]
    assert parse_rbspy("\n".join(lines)) == tuple(stacks)
