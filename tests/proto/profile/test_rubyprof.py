from pathlib import Path

import pytest
from pivotscope.profile.calls import CallEdge, Clock
from pivotscope.profile.errors import ProfileFormatError
from pivotscope.profile.frame import Frame
from pivotscope.profile.rubyprof import parse_rubyprof, qualified_name

DATA = Path(__file__).parent / "data"


def test_the_flat_printer() -> None:
    profile = parse_rubyprof((DATA / "rubyprof.flat.txt").read_text())
    by_name = {function.frame.name: function for function in profile.functions}
    assert (profile.clock, profile.total_seconds, len(profile.functions)) == (Clock.WALL, 0.612023, 14)
    assert by_name["Shop::Report#resc"].frame == Frame("Shop::Report#resc", "/srv/shop/r.rb", 10)
    assert (by_name["Shop::Report#resc"].self_seconds, by_name["Shop::Report#resc"].total_seconds) == (0.064, 0.136)
    assert by_name["Integer#+"].frame == Frame("Integer#+", native=True)
    assert by_name["Integer#+"].calls == 580_000
    assert by_name["Array#each"].calls == 16  # printed with the star of a recursive method


def test_the_graph_printer_tells_callers() -> None:
    profile = parse_rubyprof((DATA / "rubyprof.graph.txt").read_text())
    by_name = {function.frame.name: function for function in profile.functions}
    times = by_name["Integer#times"]
    assert (times.self_seconds, times.total_seconds, times.calls) == (0.095, 0.146, 12)
    assert times.callers == (
        CallEdge(Frame("Shop::Report#resc", "/srv/shop/r.rb", 10), 4, 0.008, 0.012),
        CallEdge(Frame("Shop::Report.sing", native=True), 4, 0.039, 0.056),
        CallEdge(Frame("Shop::Report#work", native=True), 4, 0.048, 0.077),
    )
    assert by_name["<main>"].callers == ()


def test_threads_are_added_up() -> None:
    one = "Measure Mode: process_time\nThread ID: 1\nTotal: 1.5\n\n 50.00 1.0 0.5 0.0 0.5 3 A#f /srv/my app/a.rb:3\n"
    profile = parse_rubyprof(one + one)
    (function,) = profile.functions
    assert (profile.clock, profile.total_seconds) == (Clock.CPU, 3.0)
    assert (function.frame, function.calls, function.self_seconds) == (Frame("A#f", "/srv/my app/a.rb", 3), 6, 1.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("<Class::Shop::Report>#total", "Shop::Report.total"),
        ("<Module::Util>#x", "Util.x"),
        ("<Object::Object>#helper", "main.helper"),
        ("[global]#", "<main>"),
        ("Object#top", "Object#top"),
        ("Integer#<=>", "Integer#<=>"),
    ],
)
def test_qualified_names(name: str, expected: str) -> None:
    assert qualified_name(name) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Measure Mode: allocations\n", "line 1: measure mode 'allocations' is no time"),
        ("Measure Mode: wall_time\nTotal: x\n", "line 2: the total 'x'"),
        ("Measure Mode: wall_time\n", "no method"),
        ("Thread ID: 1\n", "Measure Mode"),
    ],
)
def test_errors_say_what_was_found(text: str, found: str) -> None:
    with pytest.raises(ProfileFormatError, match=found):
        parse_rubyprof(text)
