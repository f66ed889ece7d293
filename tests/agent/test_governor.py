from pivotscope_agent.governor import Governor, Plan

SECOND = 1_000_000_000
KEYS = [(pid, 1) for pid in range(10)]


def rounds(governor: Governor, attach: float, look: float, count: int) -> list[Plan]:
    """Windows of ten seconds of every process; a window costs `attach` and each look `look` seconds of CPU."""
    plans = []
    for _ in range(count):
        for key in KEYS:
            plan = governor.plan(key, 10)
            cost = attach + look * plan.rate_hz * 10 if plan.rate_hz else 0.0
            governor.observe(key, round(cost * SECOND), 10 * SECOND)
            plans.append(plan)
    return plans


def used(plans: list[Plan], attach: float, look: float) -> float:
    """Cores in all."""
    return sum(attach + look * plan.rate_hz * 10 for plan in plans if plan.rate_hz) / (len(plans) / len(KEYS)) / 10


def test_within_the_budget_everything_is_granted() -> None:
    assert set(rounds(Governor(0.1), 0.02, 0.0002, 20)) == {Plan(10)}


def test_over_the_budget_the_rate_is_lowered_first() -> None:
    plans = rounds(Governor(0.1), 0.01, 0.002, 60)[-200:]
    assert all(1 < plan.rate_hz < 10 for plan in plans)
    assert all("CPU budget" in plan.reason for plan in plans)
    assert used(plans, 0.01, 0.002) < 0.12


def test_where_attaching_alone_is_too_much_windows_are_left_out() -> None:
    plans = rounds(Governor(0.1), 0.5, 0.01, 200)[-1000:]
    assert any(plan.rate_hz == 0 for plan in plans)
    assert any(plan.rate_hz > 0 for plan in plans)
    assert used(plans, 0.5, 0.01) < 0.13


def test_the_rate_comes_back_when_the_load_goes() -> None:
    governor = Governor(0.1)
    rounds(governor, 0.01, 0.003, 40)
    assert rounds(governor, 0.01, 0.0001, 40)[-1] == Plan(10)


def test_processes_that_ended_are_forgotten() -> None:
    governor = Governor(0.1)
    governor.observe((1, 1), SECOND, SECOND)
    governor.forget((1, 1))
    assert governor.used == 0
