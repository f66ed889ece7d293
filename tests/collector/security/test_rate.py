import pytest
from pivotscope_collector.security.rate import Buckets


def test_a_burst_and_then_a_rate() -> None:
    now = 0.0
    buckets = Buckets(10.0, lambda: now)
    assert [buckets.take("a") for _ in range(20)] == [0.0] * 20
    assert buckets.take("a") == pytest.approx(0.1)
    assert buckets.take("b") == 0.0
    now = 0.1
    assert buckets.take("a") == 0.0
    assert buckets.take("a") == pytest.approx(0.1)
    now = 1000.0
    assert [buckets.take("a") > 0 for _ in range(21)] == [False] * 20 + [True]


def test_slow_rates_let_one_call_through() -> None:
    buckets = Buckets(0.1, lambda: 0.0)
    assert buckets.take("a") == 0.0
    assert buckets.take("a") == pytest.approx(10.0)
