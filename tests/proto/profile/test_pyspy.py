from pathlib import Path

import pytest
from pivotscope.profile.errors import ProfileFormatError
from pivotscope.profile.frame import Frame, RawStack
from pivotscope.profile.pyspy import PySpySummary, parse_pyspy, parse_summary

DATA = Path(__file__).parent / "data"


def frames(line: str) -> tuple[Frame, ...]:
    (stack,) = parse_pyspy(line)
    return stack.frames


def test_frames_are_root_first_and_keep_paths_lines_and_counts() -> None:
    assert parse_pyspy("<module> (/srv/app.py:39);A.inner (/srv/app.py:8) 12\n\nf (<string>:1) 1\r\n") == (
        RawStack((Frame("<module>", "/srv/app.py", 39), Frame("A.inner", "/srv/app.py", 8)), 12),
        RawStack((Frame("f", "<string>", 1),), 1),
    )


@pytest.mark.parametrize(
    "path",
    ["/srv/my app/x.py", "/srv/a;b/x.py", "/srv/a (copy)/x.py", "/srv/a;b (c);d/x.py", "/srv/größe/x.py", "C:\\x.py"],
)
def test_paths_may_hold_separators(path: str) -> None:
    assert frames(f"f ({path}:3);g ({path}:4) 1") == (Frame("f", path, 3), Frame("g", path, 4))


@pytest.mark.parametrize("name", ["process", "thread", "<lambda>", "outer.<locals>.inner", "größe"])
def test_names_that_look_like_other_things_stay_names(name: str) -> None:
    assert frames(f"main (/a.py:1);{name} (/a.py:3) 5") == (Frame("main", "/a.py", 1), Frame(name, "/a.py", 3))


def test_a_sample_without_frames_says_nothing() -> None:
    assert parse_pyspy(" 1\na (b.py:1) 2\n") == (RawStack((Frame("a", "b.py", 1),), 2),)


def test_threads_and_processes_are_frames_without_a_path() -> None:
    line = 'process 7:"python -c import x; f(1)";thread (0x7F1A): pool;1;f (/a.py:1) 1'
    assert frames(line) == (
        Frame('process 7:"python -c import x; f(1)"'),
        Frame("thread (0x7F1A): pool;1"),
        Frame("f", "/a.py", 1),
    )


@pytest.mark.parametrize(
    ("text", "name", "path", "line"),
    [
        ("zlib_compress (/build/Modules/zlibmodule.c:64)", "zlib_compress", "/build/Modules/zlibmodule.c", 64),
        ("0x7fc837a4524a (/usr/lib/libc.so.6)", "0x7fc837a4524a", "/usr/lib/libc.so.6", 0),
        ("deflate (/usr/lib/libz.so.1.2.13)", "deflate", "/usr/lib/libz.so.1.2.13", 0),
        ("core::iter (x) (/srv/fast.cpython-311-x86_64-linux-gnu.so)", "core::iter (x)",
         "/srv/fast.cpython-311-x86_64-linux-gnu.so", 0),
        ("_PyEval_Vector (/usr/bin/python3.11)", "_PyEval_Vector", "/usr/bin/python3.11", 0),
        ("0x55d0 (?)", "0x55d0", "?", 0),
    ],
)  # fmt: skip
def test_frames_of_shared_objects_are_native(text: str, name: str, path: str, line: int) -> None:
    assert frames(f"{text} 1") == (Frame(name, path, line, native=True),)


def test_a_frame_without_a_line_is_not_native_by_that() -> None:
    assert frames("f (/srv/app.py);gunicorn (/usr/bin/gunicorn:8) 1") == (
        Frame("f", "/srv/app.py"),
        Frame("gunicorn", "/usr/bin/gunicorn", 8),
    )


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("f (/a.py:1) 1\nf (/a.py:1)", 2, "COUNT"),
        ("f (/a.py:1) x", 1, "COUNT"),
        ("f (/a.py:1 3", 1, "not closed"),
        ("f (/a.py:1);;g (/a.py:2) 3", 1, "empty"),
        ("f (/a" + ";x" * 2_000 + ") 1", 1, "semicolons"),
    ],
)
def test_errors_name_the_line_and_what_was_found(text: str, line: int, found: str) -> None:
    with pytest.raises(ProfileFormatError, match=found) as caught:
        parse_pyspy(text)
    assert caught.value.line == line


def test_summary_tells_samples_errors_and_how_late_it_was() -> None:
    text = (
        "py-spy> Sampling process 100 times a second for 2 seconds. Press Control-C to exit.\n"
        "py-spy> 1.02s behind in sampling, results may be inaccurate. Try reducing the sampling rate\n"
        "py-spy> 2.5s behind in sampling, results may be inaccurate. Try reducing the sampling rate\n"
        "py-spy> Wrote raw flamegraph data to 'a.raw'. Samples: 229 Errors: 3\n"
    )
    assert parse_summary(text) == PySpySummary(samples=229, errors=3, late=2, behind_seconds=2.5)
    assert parse_summary("") == PySpySummary(samples=None, errors=None, late=0, behind_seconds=0.0)


@pytest.mark.parametrize(
    ("file", "samples"),
    [("pyspy_active.raw", 229), ("pyspy_native_311.raw", 147), ("pyspy_native_38.raw", 145)],
)
def test_recorded_output_is_read_to_the_last_sample(file: str, samples: int) -> None:
    assert sum(stack.count for stack in parse_pyspy((DATA / file).read_text())) == samples


def test_a_recorded_thread_name_with_a_semicolon_stays_whole() -> None:
    roots = {stack.frames[0].name for stack in parse_pyspy((DATA / "pyspy_threads.raw").read_text())}
    assert roots == {"thread (10295): bg (x);y"}
