"""The ranking as a whole: what must hold whatever the details are."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pivotscope.profile.facts import FunctionFacts
from pivotscope.profile.language import Language
from pivotscope_collector.scoring.candidate import Candidate, Crossing, Verdict
from pivotscope_collector.scoring.priors import WorkClass
from pivotscope_collector.scoring.rank import among_best, rank
from pivotscope_collector.scoring.settings import ScoringSettings

from tests.collector.scoring.trees import SHOP_FACTS, Stacks, Tree, evidence_of, shop

SETTINGS = ScoringSettings()
LOOP = FunctionFacts("work", 1, 12, complexity=5, loops=2, loop_depth=2, subscripts=4, arithmetic=4, keyed=3)


def names(candidates: tuple[Candidate, ...]) -> list[str]:
    return [candidate.root.qualified_name for candidate in candidates]


def ranked(*trees: Tree) -> tuple[Candidate, ...]:
    return rank(evidence_of(*trees), SETTINGS)


def test_the_function_that_does_the_work_is_first_and_its_ancestors_are_gone() -> None:
    candidates = ranked(shop())
    assert candidates[0].root.qualified_name == "calculate_commission"
    assert not {"<module>", "sales_report", "commission_of"} & set(names(candidates))
    assert "totals_by_category" in names(candidates)


def test_ruby_s_hot_loop_and_its_helper_move_together() -> None:
    stacks: Stacks = {
        ("request", "report", "commission"): 0.4,
        ("request", "report", "commission", "commission_on"): 0.25,
        ("request", "report", "totals"): 0.1,
        ("request",): 0.05,
        ("lib:serve",): 0.2,
    }
    facts = {
        "commission": FunctionFacts(
            "commission", 1, 11, 3, 1, 1, 1, calls=3, attributes=1, subscripts=3, arithmetic=3, keyed=3
        ),
        "commission_on": FunctionFacts("commission_on", 1, 7, 4, parameters=1, subscripts=12, arithmetic=3),
        "totals": FunctionFacts("totals", 1, 5, 3, 1, 1, 1, calls=2, attributes=1, subscripts=4, arithmetic=1, keyed=3),
        "report": FunctionFacts("report", 1, 9, calls=6, attributes=1),
        "request": FunctionFacts("request", 1, 80, 3, calls=37, attributes=6, strings=17),
    }
    callers = {"commission_on": ["commission"], "commission": ["report"], "totals": ["report"]}
    first = ranked(Tree(stacks, facts, callers=callers, language=Language.RUBY))[0]
    assert [function.qualified_name for function in first.functions] == ["commission", "commission_on"]
    assert first.bridge.name == "C extension"


def test_speedup_of_the_commission_holds_what_was_measured() -> None:
    """Dicts walked by PyO3 2.9 to 5.2 times; a list of floats 5.6 to 7.3 times."""
    first = ranked(shop())[0]
    assert first.work_class == WorkClass.OBJECTS
    assert first.speedup.p10 < 2.9
    assert first.speedup.p90 > 7.3


def test_scores_are_the_same_for_the_same_seed() -> None:
    assert ranked(shop()) == ranked(shop())
    other = rank(evidence_of(shop()), replace(SETTINGS, seed=7))
    assert other[0].score != ranked(shop())[0].score
    assert other[0].score == pytest.approx(ranked(shop())[0].score, abs=1.5)


def test_other_candidates_do_not_move_a_score() -> None:
    alone = ranked(shop())[0]
    beside = next(
        candidate for candidate in ranked(shop(), Tree({("x",): 0.9}, service="other")) if candidate.root == alone.root
    )
    assert (alone.score, alone.speedup) == (beside.score, beside.speedup)


def test_the_order_does_not_depend_on_how_precisely_shares_are_known() -> None:
    """Another sampling rate changes the spread of the shares, not their order."""
    precise, coarse = shop(), shop()
    precise.spread, coarse.spread = 0.02, 0.25
    assert names(ranked(precise)) == names(ranked(coarse))


def test_saving_saturates_with_the_speedup() -> None:
    stacks: Stacks = {("work",): 0.5, ("lib:rest",): 0.5}
    fast = ranked(Tree(stacks, {"work": FunctionFacts("work", 1, 12, loops=3, loop_depth=3, arithmetic=6)}))[0]
    slow = ranked(Tree(stacks, {"work": LOOP}))[0]
    assert fast.work_class == WorkClass.NUMERIC
    assert fast.speedup.p50 > 4 * slow.speedup.p50
    assert fast.service_speedup.p50 < 2.0
    assert fast.saved_core_hours is not None
    assert slow.saved_core_hours is not None
    assert fast.saved_core_hours.p50 < 1.5 * slow.saved_core_hours.p50


def test_mostly_native_functions_are_no_candidates() -> None:
    tree = Tree({("work",): 0.6, ("solve",): 0.3}, {"work": LOOP, "solve": LOOP}, native={"solve": 0.9})
    assert names(ranked(tree)) == ["work"]


def test_native_part_lowers_what_can_move() -> None:
    pure = ranked(Tree({("work",): 0.6}, {"work": LOOP}))[0]
    mixed = ranked(Tree({("work",): 0.6}, {"work": LOOP}, native={"work": 0.4}))[0]
    assert mixed.movable.p50 == pytest.approx(0.6)
    assert mixed.score < pure.score


def test_libraries_are_no_roots_and_their_time_stays() -> None:
    tree = Tree({("work", "lib:dumps"): 0.5, ("work",): 0.2, ("lib:dumps",): 0.2}, {"work": LOOP})
    candidates = ranked(tree)
    assert names(candidates) == ["work"]
    assert candidates[0].movable.p50 == pytest.approx(0.2 / 0.7)


def test_recursion_counts_once() -> None:
    tree = Tree({("walk", "walk", "walk"): 0.3, ("walk",): 0.2, ("lib:rest",): 0.5}, {"walk": LOOP})
    candidate = ranked(tree)[0]
    assert candidate.share.estimate == pytest.approx(0.5)
    assert candidate.movable.p50 == pytest.approx(1.0)
    assert len(candidate.functions) == 1


def test_a_parser_whose_time_is_spread_moves_as_a_whole() -> None:
    """Twelve functions of 4 % each: none is worth its fixed effort alone, the parser as a whole is the best unit."""
    parts = [f"parse_{number}" for number in range(12)]
    stacks: Stacks = {("parse",): 0.08, **{("parse", part): 0.06 for part in parts}}
    facts = {
        name: FunctionFacts(name, 1, 10, complexity=6, loops=1, loop_depth=1, strings=3, calls=3) for name in parts
    }
    facts["parse"] = FunctionFacts("parse", 1, 20, complexity=6, loops=1, loop_depth=1, strings=2, calls=12)
    tree = Tree(stacks, facts, paths=dict.fromkeys([*parts, "parse"], "app/parser.py"))
    candidates = ranked(tree)
    assert names(candidates) == ["parse"]
    assert candidates[0].bridge.pattern == "module"


def test_few_windows_are_insufficient_data_and_come_last() -> None:
    young = Tree({("new",): 0.9}, {"new": LOOP}, clusters=7, service="young")
    candidates = ranked(young, shop())
    assert candidates[-1].verdict is Verdict.INSUFFICIENT_DATA
    assert "7 windows" in candidates[-1].reason
    assert candidates[-1].in_top == 0.0


def test_money_decides_whether_it_is_worth_it() -> None:
    rich, poor = shop(), shop()
    rich.core_hours, poor.core_hours = 2_000_000.0, 2_000.0
    best, worst = ranked(rich)[0], ranked(poor)[0]
    assert best.verdict is Verdict.WORTH_IT
    assert best.payback_under_year is not None
    assert best.payback_under_year > 0.9
    assert worst.verdict is Verdict.NOT_WORTH_IT
    assert best.score > worst.score + 20


def test_a_fixed_fleet_saves_no_money() -> None:
    candidates = rank(evidence_of(shop()), replace(SETTINGS, rho=0.0))
    assert candidates[0].score == 0.0
    assert candidates[0].verdict is not Verdict.WORTH_IT


def test_without_core_hours_there_is_no_money_but_a_score() -> None:
    tree = shop()
    tree.core_hours = None
    candidates = ranked(tree)
    assert candidates[0].root.qualified_name == "calculate_commission"
    assert (candidates[0].value, candidates[0].saved_dollars, candidates[0].payback_under_year) == (None, None, None)
    assert candidates[0].score > 50
    assert candidates[0].verdict is Verdict.WORTH_IT


def test_a_sum_of_numbers_has_a_better_alternative() -> None:
    total = FunctionFacts("total", 1, 5, complexity=2, loops=1, loop_depth=1, arithmetic=1)
    candidate = ranked(Tree({("total",): 0.7}, {"total": total}, core_hours=5_000_000.0))[0]
    assert candidate.verdict is Verdict.USE_ALTERNATIVE
    assert "built-in" in candidate.alternative.name


def test_cheap_calls_make_the_boundary_red() -> None:
    helper = FunctionFacts("helper", 1, 4, arithmetic=2)
    tree = Tree({("helper",): 0.5}, {"helper": helper}, calls={"helper": 1e8}, core_hours=8760.0 * 10)
    candidate = ranked(tree)[0]
    assert candidate.bridge.crossing is Crossing.RED
    assert candidate.verdict is Verdict.NOT_WORTH_IT


def test_known_calls_tell_the_crossing_and_unknown_ones_widen() -> None:
    known = ranked(Tree({("work",): 0.5}, {"work": LOOP}, calls={"work": 100.0}))[0]
    unknown = ranked(Tree({("work",): 0.5}, {"work": LOOP}))[0]
    assert known.bridge.crossing is Crossing.GREEN
    assert unknown.bridge.crossing is Crossing.UNKNOWN
    assert unknown.score_high - unknown.score_low >= known.score_high - known.score_low


def test_other_bridges_are_judged_by_what_crosses() -> None:
    """Records go to Go as rows of JSON, which is red; in an extension module they are read in place."""
    others = {bridge.name: bridge for bridge in ranked(shop())[0].other_bridges}
    assert others["Go through ctypes"].crossing is Crossing.RED
    assert "json row" in others["Go through ctypes"].reason
    assert others["C through ctypes"].crossing is Crossing.RED
    assert others["C++ through an extension module"].crossing in {Crossing.AMBER, Crossing.GREEN}
    assert "Rust through PyO3" not in others


def test_other_bridges_of_unread_code_are_unknown() -> None:
    candidate = ranked(Tree({("work",): 0.5}, language=Language.RUBY))[0]
    assert {bridge.crossing for bridge in candidate.other_bridges} == {Crossing.UNKNOWN}
    assert {bridge.name for bridge in candidate.other_bridges} == {"Rust through magnus", "C through Fiddle"}


def test_unread_source_widens_the_speedup() -> None:
    read = ranked(Tree({("work",): 0.5}, {"work": LOOP}))[0]
    unread = ranked(Tree({("work",): 0.5}))[0]
    assert unread.speedup.p90 / unread.speedup.p10 > read.speedup.p90 / read.speedup.p10
    assert "could not be read" in unread.class_reason


def test_finished_migrations_move_the_speedup() -> None:
    learned = replace(SETTINGS, finished={WorkClass.OBJECTS: (9.0, 8.0, 10.0)})
    assert rank(evidence_of(shop()), learned)[0].speedup.p50 > 1.25 * ranked(shop())[0].speedup.p50


def test_chances_of_the_top_add_up() -> None:
    trees = [Tree({("work",): 0.5}, {"work": LOOP}, service=f"service-{number}") for number in range(8)]
    candidates = ranked(*trees)
    assert sum(candidate.in_top for candidate in candidates) == pytest.approx(SETTINGS.top)
    assert max(candidate.in_top for candidate in candidates) < 0.9


def test_the_largest_driver_is_named() -> None:
    vague = shop()
    vague.spread = 2.0
    assert ranked(vague)[0].driver == "share of CPU"
    assert ranked(shop())[0].driver in {"effort", "speedup"}


def test_functions_below_the_minimum_share_are_left_out() -> None:
    assert ranked(Tree({("tiny",): 0.001, ("lib:rest",): 0.999}, {"tiny": LOOP})) == ()


def test_no_evidence_no_candidates() -> None:
    assert rank(evidence_of(), SETTINGS) == ()


def test_facts_of_the_shop_are_the_ones_of_its_functions() -> None:
    assert all(name == facts.qualified_name for name, facts in SHOP_FACTS.items())


SCORES = st.sampled_from([0.0, 1.0, 50.0, 100.0])
DRAWS = st.integers(1, 8).flatmap(lambda rows: st.lists(st.lists(SCORES, min_size=rows, max_size=rows), min_size=1))


@given(DRAWS, st.integers(1, 4))
def test_of_equal_scores_the_first_are_among_the_best(draws: list[list[float]], top: int) -> None:
    """Scores are cut at 0 and 100: places are those of a sort that keeps equal ones in order."""
    scores = np.array(draws).T
    places = np.argsort(np.argsort(-scores, axis=0, kind="stable"), axis=0, kind="stable")
    assert among_best(list(scores), top) == pytest.approx((places < top).mean(axis=1).tolist())
