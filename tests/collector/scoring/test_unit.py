"""Units, their effort and the level at which they move."""

from math import exp

import pytest
from pivotscope.profile.facts import FunctionFacts
from pivotscope_collector.scoring.effort import effort
from pivotscope_collector.scoring.pattern import pattern
from pivotscope_collector.scoring.units import Unit, units

from tests.collector.scoring.trees import Tree

SMALL = FunctionFacts("small", 1, 12, complexity=4, loops=1)
LARGE = FunctionFacts("large", 1, 240, complexity=40, loops=6)


def unit_of(tree: Tree, name: str) -> Unit:
    return next(unit for unit in units(tree.evidence(), 0.0) if unit.root.function.qualified_name == name)


def test_a_unit_is_its_root_and_what_moves_with_it() -> None:
    tree = Tree({("root", "part"): 0.3, ("root",): 0.1, ("root", "lib:x"): 0.1, ("root", "tiny"): 0.001})
    unit = unit_of(tree, "root")
    assert [function.qualified_name for function in unit.functions] == ["root", "part"]
    assert unit.libraries == 1
    assert unit.movable == pytest.approx(0.4 / 0.501)


def test_a_root_without_own_time_leads_its_unit() -> None:
    unit = unit_of(Tree({("root", "part"): 0.3}), "root")
    assert [function.qualified_name for function in unit.functions] == ["root", "part"]


def test_roots_of_another_codebase_are_not_this_service_s() -> None:
    tree = Tree({("lib:x",): 0.9, ("own",): 0.1})
    assert [unit.root.function.qualified_name for unit in units(tree.evidence(), 0.0)] == ["own"]


def test_effort_grows_with_size_and_shape() -> None:
    small = effort(unit_of(Tree({("f",): 0.5}, {"f": SMALL}), "f"))
    large = effort(unit_of(Tree({("f",): 0.5}, {"f": LARGE}), "f"))
    leaning = effort(unit_of(Tree({("f",): 0.5, ("f", "lib:x"): 0.2}, {"f": SMALL}), "f"))
    assert exp(small.mu) == pytest.approx(0.92)
    assert exp(large.mu) > 4 * exp(small.mu)
    assert large.sigma > small.sigma
    assert leaning.mu > small.mu


def test_unread_source_widens_effort() -> None:
    read, unread = (effort(unit_of(Tree({("f",): 0.5}, facts), "f")) for facts in ({"f": SMALL}, {}))
    assert unread.sigma > 1.3 * read.sigma


def test_one_function_moves_as_a_function() -> None:
    level, reason = pattern(unit_of(Tree({("f",): 0.5}, {"f": SMALL}), "f"), enough_for_a_service=False)
    assert level == "function"
    assert "12 lines" in reason


def test_much_of_a_file_moves_as_a_module() -> None:
    parts = ["a", "b", "c", "d"]
    tree = Tree(
        {("root", part): 0.1 for part in parts},
        paths=dict.fromkeys([*parts, "root"], "app/report.py"),
    )
    level, reason = pattern(unit_of(tree, "root"), enough_for_a_service=True)
    assert level == "module"
    assert "app/report.py" in reason


def test_much_work_over_many_files_can_be_a_service() -> None:
    tree = Tree({("root", part): 0.15 for part in ("a", "b", "c", "d")})
    assert pattern(unit_of(tree, "root"), enough_for_a_service=True)[0] == "service"
    assert pattern(unit_of(tree, "root"), enough_for_a_service=False)[0] == "module"
