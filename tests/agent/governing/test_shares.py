from hypothesis import given
from hypothesis import strategies as st
from pivotscope_agent.governing.shares import fair


def test_the_modest_have_all_they_wish_for() -> None:
    assert fair(10.0, {"a": 1.0, "b": 20.0, "c": 6.0}) == {"a": 1.0, "b": 4.5, "c": 4.5}
    assert fair(10.0, {"a": 1.0, "b": 2.0}) == {"a": 1.0, "b": 2.0}


@given(st.floats(0.001, 10.0), st.dictionaries(st.integers(), st.floats(0.0, 5.0), min_size=1, max_size=30))
def test_shares_are_fair(total: float, wishes: dict[int, float]) -> None:
    shares = fair(total, wishes)
    assert sum(shares.values()) <= total * (1 + 1e-9)
    assert all(shares[key] <= wishes[key] for key in wishes)
    cut = [shares[key] for key in wishes if shares[key] < wishes[key]]
    if cut:
        assert abs(sum(shares.values()) - total) < 1e-9 * max(1.0, total)
        assert all(share <= min(cut) * (1 + 1e-9) for share in shares.values())
