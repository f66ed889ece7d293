from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pivotscope.profile.folded import NATIVE_ONLY, Folded, FoldedStack
from pivotscope.profile.folding import fold, owner_name
from pivotscope.profile.frame import Frame, RawStack
from pivotscope.profile.iterators import Iterators
from pivotscope.profile.pyspy import parse_pyspy
from pivotscope.profile.rbspy import parse_rbspy

DATA = Path(__file__).parent / "data"


def folded(*lines: str, settle: bool = True) -> list[tuple[str, int, int]]:
    """Stacks as text, `name:line` root first, with count and native."""
    text = "\n".join(lines)
    result = fold(parse_rbspy(text) if " - " in text else parse_pyspy(text), settle=settle)
    return [(";".join(f"{f.name}:{f.line}" for f in s.frames), s.count, s.native) for s in result.stacks]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("A.inner", ("A.inner", False)),
        ("outer.<locals>.inner", ("outer.<locals>.inner", False)),
        ("A.inner.<locals>.<genexpr>", ("A.inner", True)),
        ("f.<locals>.<lambda>.<locals>.<listcomp>", ("f", True)),
        ("outer.<locals>.inner.<locals>.<dictcomp>", ("outer.<locals>.inner", True)),
        ("<lambda>.<locals>.inner", ("<lambda>.<locals>.inner", False)),
        ("A.<lambda>", ("<module>", True)),
        ("f.<locals>.A.<lambda>", ("f", True)),
        ("<genexpr>", ("<genexpr>", True)),
        ("block in work", ("work", True)),
        ("block (2 levels) in <class:Report>", ("<class:Report>", True)),
        ("rescue in block in work", ("work", True)),
        ("ensure in Shop::Report#work", ("Shop::Report#work", True)),
        ("<top (required)>", ("<main>", False)),
        ("block in <top (required)>", ("<main>", True)),
        ("block", ("block", False)),
        ("_app_views_shop_index_html_erb___3208_91480", ("_app_views_shop_index_html_erb", False)),
        ("block in _app_views_shop_index_html_erb__3208_91480", ("_app_views_shop_index_html_erb", True)),
        ("__init__", ("__init__", False)),
        ("_step__2_1x", ("_step__2_1x", False)),
    ],
)
def test_owner_name(name: str, expected: tuple[str, bool]) -> None:
    assert owner_name(name) == expected


def test_a_comprehension_is_its_function_at_the_inner_line() -> None:
    assert folded("<module> (/a.py:9);A.f (/a.py:3);A.f.<locals>.<listcomp> (/a.py:4) 2", "A.f (/a.py:4) 1") == [
        ("<module>:9;A.f:4", 2, 0),
        ("A.f:4", 1, 0),
    ]


def test_stacks_that_become_equal_are_merged() -> None:
    lines = ("f (/a.py:3) 2", "f (/a.py:3);f.<locals>.<genexpr> (/a.py:3) 5")
    assert folded(*lines, "A.g (/a.py:1) 1") == [("f:3", 7, 0), ("A.g:1", 1, 0)]


def test_recursion_stays() -> None:
    assert folded("f (/a.py:3);f (/a.py:3);f (/a.py:2) 1") == [("f:3;f:3;f:2", 1, 0)]
    assert folded("w - /a.rb:3;block in w - /a.rb:4;w - /a.rb:3;block in w - /a.rb:4 1") == [("w:4;w:4", 1, 0)]


def test_a_callback_that_another_function_calls_is_its_owner_again() -> None:
    assert folded("A.main (/a.py:9);apply (/b.py:2);A.main.<locals>.<lambda> (/a.py:8) 1") == [
        ("A.main:9;apply:2;A.main:8", 1, 0)
    ]


class TestNamesWithoutOwners:
    """Python before 3.11 prints no qualified names."""

    def test_a_comprehension_goes_to_the_function_that_runs_it(self) -> None:
        assert folded("f (/a.py:3);<listcomp> (/a.py:4) 1", settle=False) == [("f:4", 1, 0)]

    def test_a_lambda_goes_to_its_caller_in_the_same_file(self) -> None:
        assert folded("f (/a.py:3);<lambda> (/a.py:7) 1") == [("f:7", 1, 0)]

    def test_a_lambda_goes_to_the_top_level_of_another_file(self) -> None:
        assert folded("f (/a.py:3);<lambda> (/b.py:7) 1") == [("f:3;<module>:7", 1, 0)]

    def test_a_lambda_stays_for_a_resolver(self) -> None:
        assert folded("f (/a.py:3);<lambda> (/a.py:7) 1", settle=False) == [("f:3;<lambda>:7", 1, 0)]

    def test_with_qualified_names_around_it_belongs_to_the_top_level(self) -> None:
        lines = ("A.f (/a.py:3);<lambda> (/a.py:7) 1",)
        assert folded(*lines, settle=False) == [("A.f:3;<module>:7", 1, 0)]


def test_threads_processes_and_native_frames_are_dropped() -> None:
    line = 'process 1:"x";thread (7): t;0x7f (/lib/libc.so.6);f (/a.py:3);_sre_x (/l/libpython3.11.so);g (/a.py:4) 2'
    assert folded(line) == [("f:3;g:4", 2, 0)]


def test_a_native_leaf_marks_the_sample() -> None:
    assert folded("f (/a.py:3);dumps (/s/orjson.abi3.so) 2", "f (/a.py:3);memcpy (/lib/libc.so.6) 3") == [("f:3", 5, 2)]


def test_waiting_is_left_out_and_counted() -> None:
    stacks = parse_pyspy("f (/a.py:3);clock_nanosleep (/lib/libc.so.6) 7\nf (/a.py:3) 1")
    assert fold(stacks) == Folded((FoldedStack((Frame("f", "/a.py", 3),), 1),), waiting=7)


def test_a_stack_of_machine_code_alone_is_kept() -> None:
    stacks = parse_pyspy("0x7f00 (/lib/libc.so.6);gemm (/lib/libblas.so.3) 4")
    assert fold(stacks).stacks == (FoldedStack((NATIVE_ONLY,), 4, 4),)


class TestRubyCFunctions:
    C = "(unknown) [c function] - (unknown)"

    def test_a_leaf_is_native_time_of_the_caller(self) -> None:
        assert folded(f"str - /a.rb:9;{self.C};{self.C} 4", "str - /a.rb:9 1") == [("str:9", 5, 4)]

    def test_an_iterator_seen_with_its_block_is_not_native(self) -> None:
        assert folded(f"w - /a.rb:9;{self.C} 4", f"w - /a.rb:9;{self.C};block in w - /a.rb:9 6") == [("w:9", 10, 0)]

    def test_every_c_frame_below_a_block_is_plumbing(self) -> None:
        lines = (f"w - /a.rb:9;{self.C} 2", f"w - /a.rb:9;{self.C};{self.C};block in w - /a.rb:9 6")
        assert folded(*lines) == [("w:9", 8, 0)]

    def test_work_within_the_block_is_native(self) -> None:
        block = f"w - /a.rb:9;{self.C};block in w - /a.rb:9"
        assert folded(f"{block} 6", f"{block};{self.C} 3") == [("w:9", 9, 3)]

    def test_another_line_of_the_same_function_is_another_call(self) -> None:
        lines = (f"w - /a.rb:8;{self.C} 2", f"w - /a.rb:9;{self.C};block in w - /a.rb:9 6")
        assert folded(*lines) == [("w:8", 2, 2), ("w:9", 6, 0)]

    def test_the_same_call_from_elsewhere_counts(self) -> None:
        lines = (f"a - /a.rb:1;w - /a.rb:9;{self.C} 4", f"b - /a.rb:2;w - /a.rb:9;{self.C};block in w - /a.rb:9 1")
        assert [native for _, _, native in folded(*lines)] == [0, 0]

    def test_what_a_window_showed_holds_for_the_next(self) -> None:
        known = Iterators()
        assert fold(parse_rbspy(f"w - /a.rb:9;{self.C} 4"), iterators=known).stacks[0].native == 4
        fold(parse_rbspy(f"w - /a.rb:9;{self.C};block in w - /a.rb:9 1"), iterators=known)
        assert fold(parse_rbspy(f"w - /a.rb:9;{self.C} 4"), iterators=known).stacks[0].native == 0

    def test_ruby_code_of_the_interpreter_makes_no_iterator(self) -> None:
        lines = (f"w - /a.rb:8;{self.C} 2", f"w - /a.rb:8;{self.C};initialize - unknown:311 1")
        assert folded(*lines) == [("w:8", 2, 2), ("w:8;initialize:311", 1, 0)]


def test_recorded_native_output_of_python() -> None:
    result = fold(parse_pyspy((DATA / "pyspy_native_311.raw").read_text()))
    native = {stack.frames[-1].name: stack.native / stack.count for stack in result.stacks}
    assert result.waiting == 12
    assert native == {
        "findall": 1.0, "native": 1.0, "JSONEncoder.iterencode": 1.0, "A.inner": 0.0, "A.cm": 0.0, "srt": 0.0,
        "<module>": 0.0, "A.decorated": 0.0, "outer.<locals>.nested": 0.0,
    }  # fmt: skip


def test_recorded_output_of_ruby() -> None:
    result = fold(parse_rbspy((DATA / "rbspy.collapsed").read_text()))
    native = {stack.frames[-1].name: stack.native for stack in result.stacks if stack.frames[-1].name != "<main>"}
    assert native["str"] == 14
    assert native["sing"] == native["total"] == native["nestblk"] == 0
    assert not any(f.name.startswith(("block", "rescue", "ensure")) for s in result.stacks for f in s.frames)


NAMES = st.sampled_from(["f", "A.g", "<lambda>", "<listcomp>", "A.g.<locals>.<genexpr>", "block in w", "w", "<main>"])
FRAMES = st.builds(Frame, NAMES, st.sampled_from(["", "/a.py", "/b.py"]), st.integers(0, 9), st.booleans())
STACKS = st.lists(st.builds(RawStack, st.lists(FRAMES, max_size=8).map(tuple), st.integers(1, 9)), max_size=8)


@settings(deadline=None)
@given(stacks=STACKS, settle=st.booleans())
def test_no_sample_is_lost_or_made(*, stacks: list[RawStack], settle: bool) -> None:
    result = fold(stacks, settle=settle)
    assert sum(stack.count for stack in result.stacks) + result.waiting == sum(stack.count for stack in stacks)
    assert all(stack.frames and 0 <= stack.native <= stack.count for stack in result.stacks)
    assert len({stack.frames for stack in result.stacks}) == len(result.stacks)
