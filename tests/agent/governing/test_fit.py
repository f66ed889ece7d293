from pivotscope_agent.governing.cost import ATTACH_NS, Cost
from pivotscope_agent.governing.fit import KEPT_S, Limits, lowest, spared, steady

AMPLE = Limits(1.0, 1.0, 1e12, 1e12, 1e12, 1e12)
LOOK = Cost(1e6, 0.5e6)


def limits(cores: float, now_ns: float = 1e12, stopped: float = 1.0) -> Limits:
    return Limits(cores, stopped, now_ns, 1e12, 1e9, 1e9)


def test_what_is_asked_is_granted_where_it_fits() -> None:
    found = steady(LOOK, AMPLE, 10, 15, 10)
    assert found is not None
    assert (found.rate_hz, found.seconds, found.cpu_ns) == (10, 15, ATTACH_NS + 150e6)


def test_a_rate_is_the_most_that_fits() -> None:
    found = steady(LOOK, limits(0.006, now_ns=0.006 * 15e9), 10, 15, 0)
    assert found is not None
    assert found.rate_hz == 5
    assert found.cpu_ns <= 0.006 * 15e9 < ATTACH_NS + 6 * 15 * 1e6


def test_a_rate_between_two_is_had_by_turns() -> None:
    """5.2 Hz: the higher rate where savings pay for it, and leave what is kept."""
    more = ATTACH_NS + 6 * 15 * 1e6 + 0.006 * KEPT_S * 1e9
    for saved, rate in ((more + 1e3, 6), (more - 1e3, 5)):
        found = steady(LOOK, limits(0.006, now_ns=saved), 10, 15, 5)
        assert found is not None
        assert found.rate_hz == rate
    thrifty = steady(LOOK, limits(0.006), 10, 15, 5, thrifty=True)
    assert thrifty is not None
    assert thrifty.rate_hz == 5


def test_time_stopped_bounds_the_rate_too() -> None:
    found = steady(LOOK, limits(1.0, stopped=0.002), 10, 15, 0)
    assert found is not None
    assert found.rate_hz == 4


def test_a_debt_lowers_the_rate() -> None:
    found = steady(LOOK, limits(1.0, now_ns=100e6), 10, 15, 10)
    assert found is not None
    assert found.rate_hz == 5


def test_the_rate_rises_by_steps_and_falls_at_once() -> None:
    def next_rate(cores: float, last: int) -> int:
        found = steady(LOOK, limits(cores, now_ns=cores * 15e9), 10, 15, last)
        assert found is not None
        return found.rate_hz

    assert next_rate(1.0, 4) == 5
    assert next_rate(1.0, 8) == 10
    assert next_rate(0.0067, 5) == 5
    assert next_rate(0.0069, 5) == 6
    assert next_rate(0.004, 5) == 3


def test_below_the_lowest_rate_there_is_nothing_steady() -> None:
    assert steady(LOOK, limits(0.002), 10, 15, 0) is None


def test_cheap_looks_are_worth_a_higher_rate_before_windows_are_left_out() -> None:
    assert lowest(Cost(0.1e6, 0.0), 100, 15) == 16
    assert lowest(Cost(0.1e6, 0.0), 10, 15) == 10
    assert lowest(Cost(50e6, 0.0), 10, 15) == 2
    assert lowest(Cost(50e6, 0.0), 1, 15) == 1


def test_a_spared_window_is_as_long_as_savings_can_pay_for_and_never_without_looks() -> None:
    dear = Cost(30e6, 30e6)
    assert spared(dear, limits(0.0), 10, 15).seconds == 15
    few = Limits(0.0, 0.0, 0.0, 0.0, ATTACH_NS + 5 * 60e6, 1e9)
    assert spared(dear, few, 10, 15).seconds == 5
    none = Limits(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert spared(dear, none, 10, 15).seconds == 3
