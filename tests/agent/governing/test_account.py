import pytest
from pivotscope_agent.governing.account import LONGEST_DEBT_S, Account
from pivotscope_agent.governing.cost import ATTACH_NS, Cost
from pivotscope_agent.governing.own import USUAL_CORES, OwnCpu

SECOND = 1_000_000_000


def test_an_account_fills_to_its_ceiling() -> None:
    account = Account(0)
    assert account.settle(10 * SECOND, 0.01, 1e9) == 0.1e9
    assert account.settle(1000 * SECOND, 0.01, 1e9) == 1e9


def test_a_debt_is_paid_back_and_forgotten_when_it_is_long() -> None:
    account = Account(0)
    account.spend(0.05e9)
    assert account.settle(2 * SECOND, 0.01, 1e9) == -0.03e9
    account.spend(1e12)
    assert account.settle(2 * SECOND, 0.01, 1e9) == -LONGEST_DEBT_S * 0.01e9


def test_what_was_set_aside_comes_back() -> None:
    account = Account(0)
    account.spend(0.05e9)
    account.spend(-0.04e9)
    assert round(account.settle(0, 0.01, 1e9)) == -10_000_000


def test_twice_the_cost_is_believed_at_once_a_lower_one_slowly() -> None:
    cost = Cost.of(round(ATTACH_NS + 100e6), 50_000_000, 100)
    assert (cost.look_ns, cost.stop_ns) == (1e6, 0.5e6)
    cost.learn(Cost(2e6, 1e6))
    assert (cost.look_ns, cost.stop_ns) == (2e6, 1e6)
    cost.learn(Cost(1e6, 0.0))
    assert (round(cost.look_ns), round(cost.stop_ns)) == (1_700_000, 700_000)


def test_attaching_alone_leaves_looks_that_cost_next_to_nothing() -> None:
    assert 0 < Cost.of(1_000_000, 0, 20).look_ns < 1e5


def test_the_agents_own_share_is_known_from_the_start() -> None:
    """A mean that began at nothing would take minutes to know, and samplers would spend what there is not."""
    own = OwnCpu(0, 0)
    assert own.update(0, 0, 0) == USUAL_CORES
    shares = [own.update(second * SECOND, second * 6_000_000, 0) for second in range(5, 185, 5)]
    assert shares[-1] > 0.005
    assert sum(shares) / len(shares) > 0.0045
    assert max(shares) <= 0.006


def test_the_agents_own_share_leaves_samplers_out_and_forgets() -> None:
    own = OwnCpu(0, 5 * SECOND)
    cores = 0.0
    for second in range(1, 3001):
        # The agent takes 2 ms a second, its samplers 8.
        cores = own.update(second * SECOND, 5 * SECOND + second * 10_000_000, second * 8_000_000)
    assert abs(cores - 0.002) < 1e-5
    for second in range(3001, 6001):
        cores = own.update(second * SECOND, 35 * SECOND + (second - 3000) * 8_000_000, second * 8_000_000)
    assert cores < 1e-5


def test_noise_is_averaged_and_a_leap_is_believed_at_once() -> None:
    cost = Cost(1e6, 1e6)
    for number in range(100):
        cost.learn(Cost(1.3e6 if number % 2 else 0.7e6, 1e6))
    assert cost.look_ns == pytest.approx(1e6, rel=0.1)
    cost.learn(Cost(8e6, 8e6))
    assert (cost.look_ns, cost.stop_ns) == (8e6, 8e6)
