"""Budgets against simulated samplers: what holds whatever looks cost and however the cost changes."""

from collections import Counter
from collections.abc import Callable
from random import Random
from statistics import median

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pivotscope.profile.window import Mode
from pivotscope_agent.governing.fit import LOWEST_HZ
from pivotscope_agent.governing.governor import Governor
from pivotscope_agent.governing.ledger import LEAST_PART, MARGIN, SAVED_S
from pivotscope_agent.governing.plan import Ask, Budgets
from pivotscope_agent.status import Reason

from tests.agent.governing.fleet import PERIOD_S, SECOND, WINDOW_S, Fleet, Simulated, Taken

OWN = 0.002
BUDGETS = Budgets()
HALF_HOUR = 1800.0
NEARLY = 1.05
"""A load that grew eightfold minutes ago may still be over its budget by this much."""
DEEP = Simulated(attach=0.04, thread_look=0.0045, threads=8)


def fleet(
    targets: list[Simulated], seconds: float = HALF_HOUR, own: float = OWN, slots: int = 8, rate_hz: int = 10
) -> Fleet:
    governor = Governor(BUDGETS, 0)
    governor.charge_own(own)
    return Fleet(governor, targets, slots, rate_hz).run(seconds)


def test_an_ordinary_target_is_sampled_as_asked_without_a_pause() -> None:
    ran = fleet([Simulated()])
    assert ran.skipped == []
    assert {taken.plan.reason for taken in ran.taken if taken.began > 60.0} == {""}
    assert Counter(taken.plan.mode for taken in ran.taken)[Mode.ACTIVE] == pytest.approx(len(ran.taken) / 4, abs=2)
    assert ran.worst_cpu() + OWN < BUDGETS.target_cpu


def test_deep_threads_are_looked_at_seldom_and_without_stopping_them() -> None:
    ran = fleet([DEEP])
    later = [taken for taken in ran.taken if taken.began > 60.0]
    assert all(taken.plan.nonblocking for taken in later if taken.began < 600.0)
    assert {taken.plan.code for taken in later} <= {Reason.CPU_BUDGET, Reason.STOP_BUDGET, Reason.PROBE}
    assert "without stopping the process" in later[0].plan.reason
    assert ran.worst_cpu() + OWN <= BUDGETS.target_cpu
    assert ran.worst_stop(0) <= BUDGETS.stopped
    # Windows of the dear mode come about too.
    assert sum(taken.plan.mode is Mode.ACTIVE for taken in later) >= 5
    assert sum(taken.plan.looks for taken in later if taken.plan.mode is Mode.GIL) > HALF_HOUR


def test_pauses_are_no_longer_than_it_takes_to_save() -> None:
    ran = fleet([DEEP])
    pauses = [plan.seconds for _, at, plan in ran.skipped if at > PERIOD_S]
    assert median(pauses) < WINDOW_S / 4
    assert ran.worst_cpu(0) <= BUDGETS.target_cpu


def test_stops_are_taken_up_again_when_they_have_become_cheap() -> None:
    ran = fleet([Simulated(thread_look=0.0045, load=lambda at: 1.0 if at < 300.0 else 0.05)], 3600.0)
    assert any(taken.plan.nonblocking for taken in ran.taken)
    assert not ran.taken[-1].plan.nonblocking
    assert ran.taken[-1].plan.rate_hz == 10


def test_stops_that_stay_dear_are_tried_more_and_more_seldom() -> None:
    ran = fleet([DEEP], 8 * 3600.0)
    tries = [taken.began for taken in ran.taken if not taken.plan.nonblocking]
    assert 3 <= len(tries) <= 9
    assert ran.worst_stop(0) <= BUDGETS.stopped


def test_where_not_stopping_saves_nothing_the_process_is_stopped_for_true_stacks() -> None:
    ran = fleet([Simulated(thread_look=0.006, running=1.0, stop=0.1)])
    assert not ran.taken[-1].plan.nonblocking
    assert ran.worst_cpu() + OWN <= BUDGETS.target_cpu


def test_attaching_that_is_known_leaves_more_looks() -> None:
    """Cheap looks at a process that is dear to attach to: who takes attaching for looks saves on the wrong ones."""
    told, untold = (fleet([Simulated(attach=0.03, thread_look=0.0005, tells=tells)], 3600.0) for tells in (True, False))
    looks = [sum(taken.plan.looks for taken in ran.taken if taken.plan.mode is Mode.GIL) for ran in (told, untold)]
    assert looks[0] > looks[1]
    assert told.worst_cpu() + OWN <= BUDGETS.target_cpu


@pytest.mark.parametrize("pools", [1, 5, 50])
def test_fifty_targets_all_have_their_turns(pools: int) -> None:
    ran = fleet([Simulated(pool=str(number % pools)) for number in range(50)])
    windows = Counter(taken.target for taken in ran.taken if taken.began > 300.0)
    assert set(windows) == set(range(50))
    # Replicas are sampled equally often, so that a pool's busy ones count for no less.
    assert max(windows.values()) - min(windows.values()) <= 3
    assert ran.worst_cpu() + OWN <= BUDGETS.host_cpu
    if pools == 1:
        assert {plan.code for _, began, plan in ran.skipped if began > 300.0} == {Reason.ROTATION}


def test_a_replica_that_was_never_sampled_is_seen_soon() -> None:
    """Where attaching is most of what a window takes and there is little for all, in minutes."""
    light = [Simulated(attach=0.03, thread_look=0.00015, pool=str(number % 5), tells=True) for number in range(50)]
    ran = fleet(light, 300.0, own=0.011)
    first = {taken.target: taken.ended for taken in reversed(ran.taken)}
    assert set(first) == set(range(50))
    assert max(first.values()) < 270.0


def test_replicas_that_are_dear_have_as_many_turns_as_the_others() -> None:
    """A choice by cost would see busy processes less often than they work."""
    ran = fleet([Simulated(pool="a", thread_look=0.0003 * (1 + 4 * (number % 2))) for number in range(40)])
    windows = Counter(taken.target % 2 for taken in ran.taken if taken.began > 300.0)
    assert windows[0] == pytest.approx(windows[1], rel=0.1)


def test_a_cheap_replica_does_not_cut_what_is_saved_for_a_dear_one() -> None:
    """They share an account; whose turn it is must find there what its window takes, whoever asked meanwhile."""
    cheap = Simulated(thread_look=0.00006, threads=17, pool="a")
    dear = Simulated(thread_look=0.009, attach=0.06, pool="a")
    others = [Simulated(thread_look=0.005, threads=17, pool=str(number)) for number in range(6)]
    ran = fleet([cheap, Simulated(attach=0.06, pool="a"), *others, dear, dear, dear], slots=6, rate_hz=100)
    windows = Counter(taken.target for taken in ran.taken if taken.began > 300.0)
    assert set(windows) == set(range(11))


def test_a_replica_begins_with_what_the_others_taught() -> None:
    ran = fleet([DEEP], 600.0)
    plan = ran.governor.plan((7, 7), "0", Ask(Mode.GIL, Mode.GIL, 10, WINDOW_S), 601 * SECOND)
    assert plan.nonblocking
    assert plan.code is not Reason.PROBE


@pytest.mark.parametrize("stop", [1.0, 100.0])
def test_where_there_is_little_one_replica_finds_out_for_all_what_looks_cost(stop: float) -> None:
    """Also what they cost that do not stop a process, where those that do are too dear."""
    ran = fleet([Simulated(pool=str(number % 5), stop=stop) for number in range(50)], 500.0)
    first = [taken for taken in ran.taken if taken.plan.code is Reason.PROBE and taken.plan.mode is Mode.GIL]
    known = Counter((taken.target % 5, taken.plan.nonblocking) for taken in first)
    assert set(known.values()) == {1}
    assert {nonblocking for _, nonblocking in known} == ({False} if stop == 1.0 else {False, True})


def test_slots_are_never_more_than_there_are() -> None:
    governor = Governor(Budgets(1.0, 64.0, 1.0), 0)
    ran = Fleet(governor, [Simulated()] * 20, slots=3).run(600.0)
    assert ran.most_at_once == 3
    assert len({taken.target for taken in ran.taken}) == 20


def test_an_agent_that_takes_much_itself_leaves_samplers_less() -> None:
    assert fleet([Simulated()], own=0.006).worst_cpu() <= 0.01 - 0.006
    blind = fleet([Simulated()], own=0.05)
    assert blind.taken
    # Over three minutes, with what was saved before them.
    assert blind.worst_cpu() <= LEAST_PART * BUDGETS.target_cpu * (1.0 + SAVED_S / 180.0)


def test_the_rate_does_not_swing() -> None:
    """Looks of one cost: after convergence two rates that follow each other have turns, and what is allowed is used."""
    ran = fleet([Simulated(thread_look=0.001, stop=0.2)])
    later = [taken for taken in ran.taken if taken.began > 300.0]
    rates = [taken.plan.rate_hz for taken in later if taken.plan.mode is Mode.GIL]
    assert LOWEST_HZ <= min(rates) < max(rates) == min(rates) + 1 <= 10
    used = sum(taken.cpu for taken in later) / sum(taken.plan.seconds for taken in later)
    assert used == pytest.approx(MARGIN * BUDGETS.target_cpu - OWN, rel=0.05)


def test_the_rate_follows_noise_only_a_little() -> None:
    noise = [1.0, 1.3, 0.8, 1.1, 0.7, 1.2, 0.9]
    ran = fleet([Simulated(thread_look=0.001, stop=0.2, load=lambda at: noise[int(at / 15) % len(noise)])])
    rates = [taken.plan.rate_hz for taken in ran.taken if taken.began > 300.0 and taken.plan.mode is Mode.GIL]
    assert max(rates) - min(rates) <= 2
    assert ran.worst_cpu() + OWN <= BUDGETS.target_cpu


def test_costs_that_scatter_leave_the_budget_used() -> None:
    """A dear target whose windows cost 15 % more or less by chance: it has what its mean cost allows, within budget."""
    random = Random(1)
    deep = Simulated(attach=0.018, thread_look=0.0026, threads=4, load=lambda _: max(0.3, random.gauss(1.0, 0.15)))
    ran = fleet([deep])
    gil = [taken for taken in ran.taken if taken.plan.mode is Mode.GIL and taken.began > 60.0]
    assert {taken.plan.nonblocking for taken in gil if taken.began < 600.0} == {True}
    spent = sum(taken.cpu for taken in ran.taken if taken.began > 60.0) / (HALF_HOUR - 60.0)
    assert spent + OWN > 0.85 * BUDGETS.target_cpu
    assert ran.worst_cpu() + OWN <= BUDGETS.target_cpu
    assert sum(taken.plan.looks for taken in gil) > 5_000


def step(at: float) -> float:
    return 1.0 if at < 900.0 else 8.0


def wave(at: float) -> float:
    return 1.0 + 0.9 * (1 if int(at / 200) % 2 else -1)


def steady_load(_: float) -> float:
    return 1.0


@pytest.mark.parametrize("jumping", [
    Simulated(attach=0.018, thread_look=0.0005, threads=9, load=wave),
    Simulated(attach=0.029, thread_look=0.0009, stop=1.3, load=wave),
])  # fmt: skip
def test_what_was_saved_for_stops_does_not_break_their_budget(jumping: Simulated) -> None:
    """When they become dear at once, after a time in which as much was saved as can be."""
    ran = fleet([jumping], rate_hz=100)
    after = 1200.0
    excess = _excess(ran, after, lambda taken: taken.stopped, BUDGETS.stopped)
    assert ran.worst_stop(0, after) <= BUDGETS.stopped + excess


targets = st.builds(
    Simulated,
    attach=st.floats(0.005, 0.08),
    thread_look=st.floats(0.00005, 0.01),
    threads=st.integers(1, 24),
    running=st.floats(0.2, 1.0),
    stop=st.floats(0.1, 1.5),
    pool=st.sampled_from(["a", "b", ""]),
    load=st.sampled_from([steady_load, step, wave]),
)


@settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.generate))  # a fleet takes a second to shrink
@given(st.lists(targets, min_size=1, max_size=12), st.integers(1, 8), st.sampled_from([1, 5, 10, 100]))
def test_budgets_hold_over_any_three_minutes(simulated: list[Simulated], slots: int, rate_hz: int) -> None:
    ran = fleet(simulated, slots=slots, rate_hz=rate_hz)
    assert ran.most_at_once <= slots
    assert all(taken.plan.rate_hz <= rate_hz for taken in ran.taken)
    assert {taken.target for taken in ran.taken} == set(range(len(simulated)))
    after = 1200.0
    host = min(BUDGETS.target_cpu * len(simulated), BUDGETS.host_cpu)
    assert ran.worst_cpu(after=after) + OWN <= NEARLY * (host + _excess(ran, after, lambda taken: taken.cpu, host))
    for number in range(len(simulated)):
        own = OWN / len(simulated)
        excess = _excess(ran, after, lambda taken: taken.cpu, BUDGETS.target_cpu, number)
        assert ran.worst_cpu(number, after) + own <= NEARLY * (BUDGETS.target_cpu + excess)
        stops = _excess(ran, after, lambda taken: taken.stopped, BUDGETS.stopped, number)
        assert ran.worst_stop(number, after) <= NEARLY * (BUDGETS.stopped + stops)


def _excess(
    ran: Fleet, after: float, amount: Callable[[Taken], float], budget: float, target: int | None = None
) -> float:
    """Where the least window is dearer than what may be saved, three minutes hold one of it too many."""
    dearest = max(
        (amount(taken) for taken in ran.taken if taken.began > after and target in {None, taken.target}), default=0.0
    )
    return max(0.0, dearest - 0.1 * budget * PERIOD_S) / PERIOD_S
