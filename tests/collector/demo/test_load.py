import random
import statistics

from pivotscope_collector.demo.load import MERCHANTS, USERS, arrivals, path_of


def test_arrivals_keep_the_rate() -> None:
    source = random.Random(5)
    gaps = [arrivals(source, 50.0) for _ in range(20_000)]
    # The mean of 20,000 exponential gaps lies within 4 standard errors (0.014 %) of 1/50 in all but 1 of 16,000 seeds.
    assert abs(statistics.fmean(gaps) - 0.02) < 4 * 0.02 / 20_000**0.5


def test_the_same_seed_asks_the_same() -> None:
    one, other = random.Random(1), random.Random(1)
    assert [path_of(one) for _ in range(50)] == [path_of(other) for _ in range(50)]


def test_paths_name_a_merchant_and_a_user() -> None:
    source = random.Random(2)
    for _ in range(200):
        merchant, _, user = path_of(source).removeprefix("/report/").partition("?user=u")
        assert 0 <= int(merchant) < MERCHANTS
        assert 0 <= int(user) < USERS
