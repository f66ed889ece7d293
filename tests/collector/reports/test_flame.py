import json
import re
import sys

from pivotscope_collector.reports.flame import Flame, FlameFrame, FlameStack, collapsed, speedscope, tree
from pivotscope_collector.reports.flame_page import page

FRAMES = (FlameFrame("a.py", "main", "application"), FlameFrame("b;c.py", "</script>", "library"))
FLAME = Flame("shop", "gil", FRAMES, (FlameStack((0,), 1, 0, 0.5), FlameStack((0, 1), 3, 0, 1.5)), 0.25)


def test_collapsed_lines_end_with_samples_and_keep_separators_out_of_names() -> None:
    assert collapsed(FLAME) == "main (a.py) 1\nmain (a.py);</script> (b:c.py) 3\n"


def test_speedscope_weights_are_cpu_seconds() -> None:
    document = json.loads(speedscope(FLAME))
    profile = document["profiles"][0]
    assert profile["samples"] == [[0], [0, 1]]
    assert profile["weights"] == [0.5, 1.5]
    assert profile["endValue"] == 2.0


def test_the_tree_adds_up_towards_the_root() -> None:
    root = tree(FLAME)
    assert (root["v"], root["s"]) == (2.0, 4)
    (main,) = root["c"]
    assert (main["f"], main["v"], main["c"][0]["v"]) == (0, 2.0, 1.5)


def test_stacks_deeper_than_pythons_own() -> None:
    depth = sys.getrecursionlimit() * 3
    flame = Flame("deep", "gil", FRAMES, (FlameStack((0,) * depth, 1, 0, 1.0),), 0.0)
    assert page(flame).count("<script") == 2


def test_names_cannot_end_the_script_that_holds_them() -> None:
    text = page(FLAME)
    embedded = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert embedded is not None
    data = json.loads(embedded[1])
    assert data["frames"][1][0] == "</script>"
    assert data["root"] == [[0, -1, 2.0, 4, 0.0], [1, 0, 2.0, 4, 0.0], [2, 1, 1.5, 3, 0.0]]


def test_the_page_needs_nothing_else() -> None:
    assert not re.search(r'(src|href)="', page(FLAME))
