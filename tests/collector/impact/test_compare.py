from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pivotscope.profile.metric import MetricRole
from pivotscope_collector.errors import UsageError
from pivotscope_collector.impact.arm import Arm, Counter, Grid, ProcessMemory, SubtreeCpu
from pivotscope_collector.impact.compare import compare
from pivotscope_collector.impact.comparison import Comparison, MetricResult
from pivotscope_collector.impact.grade import Claim, Design, Grade
from pivotscope_collector.impact.verdict import Verdict

Pairs = Callable[..., tuple[Arm, Arm]]
Counters = Callable[..., Counter]


def result(comparison: Comparison, name: str) -> MetricResult:
    return next(m for m in comparison.metrics if m.metric.name == name)


def without(arm: Arm, *roles: MetricRole) -> Arm:
    return replace(
        arm,
        counters=tuple(c for c in arm.counters if c.role not in roles),
        histograms=tuple(h for h in arm.histograms if h.role not in roles),
    )


def swap(arm: Arm, counter: Counter) -> Arm:
    return replace(arm, counters=(*(c for c in arm.counters if c.role is not counter.role), counter))


def test_what_changed_is_called_and_what_did_not_is_not(make_pair: Pairs) -> None:
    found = compare(*make_pair(3, speedup=4.0, latency=0.4, error=(0.01, 0.04)))
    assert result(found, "cpu_per_request").judgement.verdict is Verdict.BETTER
    assert result(found, "cpu_per_request").primary
    assert result(found, "latency_p95").judgement.verdict is Verdict.BETTER
    assert result(found, "latency_mean").judgement.verdict is Verdict.BETTER
    assert result(found, "error_rate").judgement.verdict is Verdict.WORSE
    assert result(found, "revenue_per_request").judgement.verdict in {Verdict.INCONCLUSIVE, Verdict.NO_DIFFERENCE}
    assert found.grade is Grade.CONCURRENT
    assert found.missing == ()


def test_a_change_below_the_buckets_says_so(make_pair: Pairs) -> None:
    found = compare(*make_pair(4, latency=1.05))
    p50 = result(found, "latency_p50")
    assert p50.judgement.verdict is Verdict.INCONCLUSIVE
    assert "below the resolution of the buckets" in " ".join(p50.notes)
    assert result(found, "latency_mean").judgement.verdict is Verdict.WORSE


def test_buckets_that_differ(make_pair: Pairs) -> None:
    a, b = make_pair(5)
    other = replace(b.histograms[0], bounds=tuple(2 * x for x in b.histograms[0].bounds))
    judgement = result(compare(a, replace(b, histograms=(other,))), "latency_p99").judgement
    assert judgement.verdict is Verdict.NOT_COMPARABLE
    assert "buckets differ" in judgement.reason


def test_units_that_differ(make_pair: Pairs) -> None:
    a, b = make_pair(5)
    revenue = b.counter(MetricRole.REVENUE, "app_revenue")
    assert revenue
    found = compare(replace(a), swap(b, replace(revenue, unit="eur")))
    assert "units differ: A is in usd, B in eur" in result(found, "revenue_per_request").judgement.reason


def test_business_is_an_association_unless_randomised(make_pair: Pairs) -> None:
    pair = make_pair(6)
    assert result(compare(*pair), "revenue_per_request").claim is Claim.ASSOCIATION
    randomised = compare(*pair, Design(randomised=True, planned=(0.5,)))
    assert result(randomised, "revenue_per_request").claim is Claim.EFFECT
    assert randomised.sample_ratio is not None
    assert randomised.sample_ratio.ok


def test_a_broken_sample_ratio_stops_everything(make_pair: Pairs) -> None:
    found = compare(*make_pair(7, share=0.45), Design(planned=(0.5,)))
    assert {m.judgement.verdict for m in found.metrics} == {Verdict.NOT_COMPARABLE}
    assert "sample ratio" in found.metrics[0].judgement.reason


def test_stages_are_seen_and_stratified(make_pair: Pairs) -> None:
    """Cost rises with the stages: pooled, B would look worse by Simpson's paradox."""
    share = np.repeat([0.1, 0.5, 0.9], 20)
    a, b = make_pair(8, share=share, speedup=1.25)
    season = np.repeat([1.0, 2.0, 4.0], 20)
    assert a.cpu
    assert b.cpu
    a = replace(a, cpu=replace(a.cpu, seconds=a.cpu.seconds * season))
    b = replace(b, cpu=replace(b.cpu, seconds=b.cpu.seconds * season))
    found = compare(a, b)
    starts = [a.grid.start_ns + 20 * k * a.grid.block_ns for k in (1, 2)]
    assert list(found.stages_ns) == starts
    assert not found.stages_given
    change = result(found, "cpu_per_request").effect
    assert change is not None
    assert change.change.low < 0.8 < change.change.high
    pooled = (b.cpu.seconds.sum() / b.requests().sum()) / (a.cpu.seconds.sum() / a.requests().sum())  # type: ignore[union-attr]
    assert pooled > 1.3


def test_all_traffic_on_one_arm_is_left_out(make_pair: Pairs) -> None:
    found = compare(*make_pair(9, share=np.repeat([0.5, 1.0], 30)))
    assert found.blocks == 30
    assert found.blocks_left_out == 30


def test_no_requests_in_one_arm(make_pair: Pairs) -> None:
    found = compare(*make_pair(10, share=0.0))
    assert found.grade is Grade.SEQUENTIAL
    verdicts = {m.metric.name: m.judgement for m in found.metrics}
    assert verdicts["cpu_per_request"].verdict is Verdict.NOT_COMPARABLE
    assert "arm B had no requests" in verdicts["cpu_per_request"].reason
    assert "arm B had no observation" in verdicts["latency_p50"].reason


def test_one_block_is_inconclusive(make_pair: Pairs) -> None:
    found = compare(*make_pair(11, blocks=1))
    assert result(found, "cpu_per_request").judgement.verdict is Verdict.INCONCLUSIVE
    assert "one block" in result(found, "error_rate").judgement.reason


def test_what_is_missing_is_named_with_advice(make_pair: Pairs) -> None:
    a, b = make_pair(12)
    found = compare(without(a, MetricRole.REVENUE), without(b, MetricRole.REVENUE, MetricRole.VALIDATIONS))
    missing = {m.role: m for m in found.missing}
    assert missing["revenue"].arms == ("A", "B")
    assert missing["validations"].arms == ("B",)
    assert "agent's configuration" in missing["revenue"].advice
    assert not [m for m in found.metrics if m.metric.name == "revenue_per_request"]


def test_errors_that_never_happened_in_one_arm_are_zero(make_pair: Pairs) -> None:
    a, b = make_pair(13)
    found = result(compare(a, without(b, MetricRole.ERRORS)), "error_rate")
    assert found.effect is not None
    assert found.effect.b.estimate == 0.0
    assert found.judgement.verdict is Verdict.BETTER
    assert "taken as zero" in found.notes[0]


def test_an_arm_that_was_not_validated(make_pair: Pairs) -> None:
    a, b = (without(arm, MetricRole.VALIDATION_FAILURES) for arm in make_pair(22))
    none = result(compare(a, b), "validation_failure_rate")
    assert none.effect is not None
    assert none.effect.change.estimate == 0.0
    assert 0 < none.effect.change.high < 0.001
    one = result(compare(without(a, MetricRole.VALIDATIONS), b), "validation_failure_rate")
    assert one.judgement.verdict is Verdict.NOT_COMPARABLE
    assert "only arm B has validations" in one.judgement.reason


def test_no_requests_metric_falls_back_to_the_latency_count(make_pair: Pairs) -> None:
    a, b = (without(arm, MetricRole.REQUESTS) for arm in make_pair(14))
    assert result(compare(a, b), "cpu_per_request").effect is not None


def test_a_counter_that_steps_backwards_is_refused(make_pair: Pairs, make_counter: Counters) -> None:
    a, b = make_pair(15)
    errors = make_counter(MetricRole.ERRORS, np.ones(60), reversals=20)
    judgement = result(compare(a, swap(b, errors)), "error_rate").judgement
    assert judgement.verdict is Verdict.NOT_COMPARABLE
    assert "prefork" in judgement.reason


def test_negative_revenue_is_a_difference(make_pair: Pairs, make_counter: Counters) -> None:
    a, b = make_pair(16)
    refunds = make_counter(MetricRole.REVENUE, -np.arange(1.0, 61.0), "usd")
    found = result(compare(a, swap(b, refunds)), "revenue_per_request")
    assert found.judgement.verdict is Verdict.WORSE


def test_before_and_after_is_observational(make_pair: Pairs) -> None:
    a, b = make_pair(17, speedup=3.0)
    later = replace(b, grid=replace(b.grid, start_ns=b.grid.end_ns))
    found = compare(a, later)
    assert not found.paired
    assert found.grade is Grade.SEQUENTIAL
    assert result(found, "cpu_per_request").judgement.verdict is Verdict.BETTER
    assert result(found, "cpu_per_request").claim is Claim.OBSERVATION
    assert result(found, "throughput").judgement.verdict is not Verdict.NOT_COMPARABLE


def test_versions_that_hardly_met_are_before_and_after(make_pair: Pairs) -> None:
    found = compare(*make_pair(23, share=np.repeat([0.0, 0.5, 1.0], [30, 2, 28])))
    assert found.grade is Grade.SEQUENTIAL
    throughput = result(found, "throughput").effect
    assert throughput is not None
    # Each ran for about half of the hour and then took all traffic: the time before and after does not count.
    assert throughput.a.estimate == pytest.approx(400 / 60, rel=0.3)


def test_throughput_side_by_side_is_the_split(make_pair: Pairs) -> None:
    judgement = result(compare(*make_pair(18, share=0.2)), "throughput").judgement
    assert judgement.verdict is Verdict.NOT_COMPARABLE
    assert "split" in judgement.reason


def test_memory_is_a_matter_of_processes(make_pair: Pairs) -> None:
    a, b = make_pair(19)
    a = replace(a, memory=tuple(ProcessMemory(f"a{k}", 100e6 + k * 1e6, 120e6) for k in range(4)))
    b = replace(b, memory=tuple(ProcessMemory(f"b{k}", 200e6 + k * 1e6, 220e6) for k in range(4)))
    assert result(compare(a, b), "memory_mean").judgement.verdict is Verdict.WORSE
    one = replace(b, memory=b.memory[:1])
    assert result(compare(a, one), "memory_mean").judgement.verdict is Verdict.INCONCLUSIVE
    shared = compare(a, replace(b, memory=a.memory))
    assert "shared process" in result(shared, "memory_mean").judgement.reason


def subtree(seconds: np.ndarray[tuple[int, ...], np.dtype[np.float64]], name: str, samples: int = 900) -> SubtreeCpu:
    return SubtreeCpu((name,), seconds, samples, 1 / samples, "gil")


def test_shared_process_needs_and_takes_functions(make_pair: Pairs) -> None:
    a, b = (replace(arm, cpu=None, shared_process=True) for arm in make_pair(20))
    assert "name the functions" in result(compare(a, b), "cpu_per_request").judgement.reason
    requests_a, requests_b = a.requests(), b.requests()
    assert requests_a is not None
    assert requests_b is not None
    one, two = subtree(requests_a * 0.01, "old"), subtree(requests_b * 0.002, "new")
    found = compare(replace(a, subtree=one), replace(b, subtree=two))
    assert found.speedup is not None
    assert found.speedup.estimate == pytest.approx(5.0)
    # Blocks agree exactly here, so the sampling error of 900 samples a side is all there is: at least ± 2 √(2 ÷ 900).
    assert np.exp(4 * np.sqrt(2 / 900)) <= found.speedup.high / found.speedup.low < 1.3
    few = compare(replace(a, subtree=one), replace(b, subtree=replace(two, samples=3)))
    assert result(few, "cpu_per_request").judgement.verdict is Verdict.INCONCLUSIVE


def test_a_design_that_contradicts_itself(make_pair: Pairs) -> None:
    pair = make_pair(21, blocks=4)
    with pytest.raises(UsageError, match="primary metric"):
        compare(*pair, Design(primary="speed"))
    with pytest.raises(UsageError, match="planned shares"):
        compare(*pair, Design(planned=(0.1, 0.5)))
    with pytest.raises(UsageError, match="between 0 and 1"):
        compare(*pair, Design(planned=(10.0,)))


def test_arms_without_anything() -> None:
    found = compare(Arm("a", Grid(0, 10, 3)), Arm("b", Grid(0, 10, 3)))
    assert all(m.judgement.verdict is Verdict.NOT_COMPARABLE for m in found.metrics)
    assert {"latency", "requests", "errors", "revenue", "engagement"} <= {m.role for m in found.missing}
