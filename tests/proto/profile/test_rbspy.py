from pathlib import Path

import pytest
from pivotscope.profile.errors import ProfileFormatError
from pivotscope.profile.frame import Frame, RawStack
from pivotscope.profile.rbspy import is_collapsed, parse_rbspy

DATA = Path(__file__).parent / "data"
C = Frame("(unknown) [c function]", native=True)


def test_frames_are_root_first_and_c_functions_native() -> None:
    text = (
        "<main> - /srv/r.rb:32;(unknown) [c function] - (unknown);block (2 levels) in work - /srv/r.rb:8 3\n"
        "\n"
        "<top (required)> - /srv/lib.rb:1;<class:Foo> - /srv/lib.rb:4;now - unknown:225;nap [c function] - (unknown) 1"
    )
    assert parse_rbspy(text) == (
        RawStack((Frame("<main>", "/srv/r.rb", 32), C, Frame("block (2 levels) in work", "/srv/r.rb", 8)), 3),
        RawStack(
            (
                Frame("<top (required)>", "/srv/lib.rb", 1),
                Frame("<class:Foo>", "/srv/lib.rb", 4),
                Frame("now", "", 225),
                Frame("nap [c function]", native=True),
            ),
            1,
        ),
    )


@pytest.mark.parametrize("path", ["/srv/my app/x.rb", "/srv/a;b/x.rb", "/srv/a - b/x.rb", "/srv/ö:1/x.rb"])
def test_paths_may_hold_separators(path: str) -> None:
    (stack,) = parse_rbspy(f"<= - {path}:3;[]= - {path}:4 1")
    assert stack.frames == (Frame("<=", path, 3), Frame("[]=", path, 4))


@pytest.mark.parametrize(
    ("text", "line"),
    [("a - /x.rb:1 1\nb - /x.rb:1", 2), ("b /x.rb 3", 1), ("a - /x.rb:1;b 3", 1), ("a - x" + ";y" * 5_000 + " 1", 1)],
)
def test_errors_name_the_line(text: str, line: int) -> None:
    with pytest.raises(ProfileFormatError, match="expected") as caught:
        parse_rbspy(text)
    assert caught.value.line == line


def test_recorded_output_is_read_to_the_last_sample() -> None:
    assert sum(stack.count for stack in parse_rbspy((DATA / "rbspy.collapsed").read_text())) == 261


def test_a_line_of_rbspy_is_told_from_one_of_py_spy() -> None:
    assert is_collapsed("<main> - /srv/r.rb:32;work - /srv/r.rb:8 3")
    assert is_collapsed("(unknown) [c function] - (unknown) 3")
    assert not is_collapsed("<module> (/srv/a - b/app.py:39);f (/srv/app.py:8) 12")
