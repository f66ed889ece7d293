import json
from pathlib import Path

import pytest
from pivotscope.profile.errors import ProfileFormatError
from pivotscope.profile.frame import Frame, RawStack
from pivotscope.profile.language import Language
from pivotscope.profile.speedscope import parse_speedscope

DATA = Path(__file__).parent / "data"


def document(samples: object, weights: object, *, unit: str = "none", exporter: str = "other", **frame: object) -> str:
    frames = [{"name": "main", "file": "/a.py", "line": 1}, {"name": "f", "file": "/a.py", "line": 2, **frame}]
    profile = {"type": "sampled", "unit": unit, "samples": samples, "weights": weights}
    return json.dumps({"exporter": exporter, "profiles": [profile], "shared": {"frames": frames}})


MAIN, F = Frame("main", "/a.py", 1), Frame("f", "/a.py", 2)


def test_counts_are_weights_without_a_unit() -> None:
    assert parse_speedscope(document([[0, 1], [0], [0, 1], []], [3, 1, 2, 9])).stacks == (
        RawStack((MAIN, F), 5),
        RawStack((MAIN,), 1),
    )


def test_weights_in_time_are_multiples_of_the_smallest() -> None:
    assert parse_speedscope(document([[0, 1], [0]], [0.03, 0.01], unit="seconds")).stacks[0].count == 3


@pytest.mark.parametrize("exporter", ["py-spy@0.4.3", "rbspy@0.55.0"])
def test_the_samplers_write_one_entry_a_sample(exporter: str) -> None:
    text = document([[0, 1], [0, 1]], [0.0, 0.0399], unit="seconds", exporter=exporter)
    assert parse_speedscope(text).stacks == (RawStack((MAIN, F), 2),)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "JSON"),
        ("[]", "not an object"),
        ("{}", "shared is not an object"),
        ('{"shared": {}}', "no list 'frames'"),
        ('{"shared": {"frames": []}}', "profiles"),
        ('{"shared": {"frames": []}, "profiles": [{"type": "evented"}]}', "'evented'"),
        ('{"shared": {"frames": [1]}, "profiles": []}', "a frame is not an object"),
        (document([[0, 2]], [1]), "frame 2 of 2"),
        (document([["x"]], [1]), "'x'"),
        (document([0], [1]), "list of frame indexes"),
        (document([[0]], [1, 2]), "2 weights"),
        (document([[0]], [-1]), "from 0"),
        (document([[0]], [10**400]), "from 0"),
        (document([[0], [0]], [1e-9, 1e9], unit="seconds"), "times"),
        (document([[0]], [1], line="x"), "whole number"),
    ],
)
def test_errors_say_what_was_found(text: str, found: str) -> None:
    with pytest.raises(ProfileFormatError, match=found):
        parse_speedscope(text)


def test_recorded_files() -> None:
    python = parse_speedscope((DATA / "pyspy.speedscope.json").read_text())
    assert (python.language, sum(stack.count for stack in python.stacks)) == (Language.PYTHON, 77)
    ruby = parse_speedscope((DATA / "rbspy.speedscope.json").read_text())
    assert (ruby.language, sum(stack.count for stack in ruby.stacks)) == (Language.RUBY, 243)
    assert {frame.native for stack in ruby.stacks for frame in stack.frames if "[c function]" in frame.name} == {True}
