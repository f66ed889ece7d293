"""Intervals from files."""

import pytest
from pivotscope_collector.analysis.shares import DESIGN_EFFECT, Part, sampled_share, timed_share
from pivotscope_collector.estimates.share import MINIMUM_CLUSTERS


def test_one_file_is_wider_than_independent_samples_would_be() -> None:
    share = sampled_share([Part(300.0, 1000.0, 1000)])
    assert share.estimate == 0.3
    naive = 2 * 1.96 * (0.3 * 0.7 / 1000) ** 0.5
    assert share.high - share.low == pytest.approx(naive * DESIGN_EFFECT**0.5, rel=0.05)


def test_few_samples_are_insufficient() -> None:
    assert sampled_share([Part(10.0, 50.0, 50)]).insufficient
    assert not sampled_share([Part(10.0, 100.0, 100)]).insufficient
    assert sampled_share([Part(1.0, 3.0, 3)]).low == 0.0


def test_many_files_are_clusters() -> None:
    share = sampled_share([Part(30.0 + n, 100.0, 100) for n in range(MINIMUM_CLUSTERS)])
    assert share.clusters == MINIMUM_CLUSTERS
    assert share.high - share.low < 0.1


def test_the_profilers_overhead_is_a_bound() -> None:
    cheap = timed_share([Part(2.0, 4.0, 1000, overhead=0.0, whole_overhead=2.0)])
    assert (cheap.estimate, cheap.low, cheap.high) == (0.5, 0.5, 1.0)
    dear = timed_share([Part(2.0, 4.0, 1000, overhead=1.5, whole_overhead=2.0)])
    assert (dear.estimate, dear.low, dear.high) == (0.5, 0.25, 0.5)
    assert not dear.insufficient


def test_overhead_is_never_the_whole_profile() -> None:
    share = timed_share([Part(1.0, 1.0, 10, overhead=50.0, whole_overhead=50.0)])
    assert 0.0 <= share.low <= share.estimate <= share.high <= 1.0


def test_nothing_profiled() -> None:
    assert timed_share([]).insufficient
    assert sampled_share([]).high == 1.0
