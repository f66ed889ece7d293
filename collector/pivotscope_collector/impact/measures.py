"""One metric of two arms, by the statistics of its family."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pivotscope.profile.metric import MetricRole

from pivotscope_collector.impact.arm import Arm, Counter, FloatArray, Histogram, SubtreeCpu
from pivotscope_collector.impact.catalogue import Family, Metric
from pivotscope_collector.impact.effect import Effect, Refusal
from pivotscope_collector.impact.latency import mean_parts, quantile_ratio
from pivotscope_collector.impact.means import difference_of_means
from pivotscope_collector.impact.memory import memory_difference
from pivotscope_collector.impact.pairing import Pairing
from pivotscope_collector.impact.proportions import risk_difference
from pivotscope_collector.impact.rates import rate_ratio
from pivotscope_collector.impact.ratios import Quotient, ratio_of_sums

LEAST_SAMPLES = 8
"""Fewer samples than this in a subtree say nothing about its CPU."""

SUBTREE = "function subtree"
"""Source of a CPU metric that stands on functions instead of processes."""

REVERSALS_REFUSED = 0.01
"""Part of a counter's steps that may go backwards before it is refused."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One source of a metric: the application's name of it, its unit, and the effect or why there is none."""

    source: str
    unit: str
    outcome: Effect | Refusal
    notes: tuple[str, ...] = ()


def measure(metric: Metric, a: Arm, b: Arm, pairing: Pairing) -> tuple[Measured, ...]:
    """Every source that the arms have for a metric; empty where neither has one."""
    match metric.family:
        case Family.CPU:
            return _cpu(metric, a, b, pairing)
        case Family.MEMORY:
            return _memory(metric, a, b)
        case Family.QUANTILE:
            return tuple(_quantile(metric, a, b, pairing, name) for name in _histograms(a, b))
        case Family.RATIO if metric.role is MetricRole.LATENCY:
            return tuple(_latency_mean(a, b, pairing, name) for name in _histograms(a, b))
        case Family.RATE:
            return _throughput(metric, a, b, pairing)
        case _:
            return _per_denominator(metric, a, b, pairing)


def _memory(metric: Metric, a: Arm, b: Arm) -> tuple[Measured, ...]:
    if not (a.memory or b.memory or a.shared_process or b.shared_process):
        return ()
    return (Measured("", metric.unit, memory_difference(a, b, peak=metric.name == "memory_peak")),)


def _histograms(a: Arm, b: Arm) -> list[str]:
    return sorted({h.name for arm in (a, b) for h in arm.histograms if h.role is MetricRole.LATENCY})


def _both(a: Arm, b: Arm, name: str) -> tuple[Histogram, Histogram] | Refusal:
    left, right = a.histogram(MetricRole.LATENCY, name), b.histogram(MetricRole.LATENCY, name)
    if left is None or right is None:
        return Refusal(f"arm {'A' if left is None else 'B'} has no {name}", comparable=False)
    return _fault(left, right) or (left, right)


def _quantile(metric: Metric, a: Arm, b: Arm, pairing: Pairing, name: str) -> Measured:
    both = _both(a, b, name)
    if isinstance(both, Refusal):
        return Measured(name, "", both)
    return Measured(name, both[0].unit, quantile_ratio(*both, pairing, metric.quantile))


def _latency_mean(a: Arm, b: Arm, pairing: Pairing, name: str) -> Measured:
    both = _both(a, b, name)
    if isinstance(both, Refusal):
        return Measured(name, "", both)
    left, right = Quotient(*mean_parts(both[0])), Quotient(*mean_parts(both[1]))
    return Measured(name, both[0].unit, ratio_of_sums(left, right, pairing))


def _throughput(metric: Metric, a: Arm, b: Arm, pairing: Pairing) -> tuple[Measured, ...]:
    requests_a, requests_b = a.requests(), b.requests()
    if requests_a is None or requests_b is None:
        return ()
    left, right = _timed(requests_a, a), _timed(requests_b, b)
    return (Measured("", metric.unit, rate_ratio(left, right, pairing)),)


def _timed(requests: FloatArray, arm: Arm) -> Quotient:
    return Quotient(requests, np.where(np.isfinite(requests), arm.grid.block_ns / 1e9, np.nan))


def _per_denominator(metric: Metric, a: Arm, b: Arm, pairing: Pairing) -> tuple[Measured, ...]:
    if metric.role is None:
        return ()
    names = sorted({c.name for arm in (a, b) for c in arm.counters if c.role is metric.role})
    if not names and metric.per and metric.per in {c.role for arm in (a, b) for c in arm.counters}:
        # Failures were looked for, and none ever happened.
        names = [""]
    return tuple(_one_counter(metric, (metric.role, name), a, b, pairing) for name in names)


def _one_counter(metric: Metric, source: tuple[MetricRole, str], a: Arm, b: Arm, pairing: Pairing) -> Measured:
    role, name = source
    left, right = a.counter(role, name), b.counter(role, name)
    unit = metric.unit or next((c.unit for c in (left, right) if c), "")
    exposure = _exposure(metric, a, b)
    if isinstance(exposure, Refusal):
        return Measured(name, unit, exposure)
    if (left is None or right is None) and metric.family is not Family.PROPORTION:
        return Measured(name, unit, Refusal(f"arm {'A' if left is None else 'B'} has no {name}", comparable=False))
    fault = _fault(left, right) if left and right else None
    if fault:
        return Measured(name, unit, fault)
    absent = [label for label, counter in (("A", left), ("B", right)) if counter is None]
    notes = tuple(f"arm {label} never showed {name or role.value}: taken as zero" for label in absent)
    one = Quotient(_increments(left, exposure[0]), exposure[0])
    two = Quotient(_increments(right, exposure[1]), exposure[1])
    test = {Family.PROPORTION: risk_difference, Family.MEAN: difference_of_means}.get(metric.family, ratio_of_sums)
    return Measured(name, unit, test(one, two, pairing), notes)


def _exposure(metric: Metric, a: Arm, b: Arm) -> tuple[FloatArray, FloatArray] | Refusal:
    """Denominators of both arms: of the metric's own role where either arm has it, else requests."""
    if metric.per is not None:
        tries = [_largest(arm, metric.per) for arm in (a, b)]
        if tries[0] is not None and tries[1] is not None:
            return tries[0].increments, tries[1].increments
        for label, other, counter in (("B", "A", tries[1]), ("A", "B", tries[0])):
            if counter is not None:
                reason = f"only arm {label} has {metric.per.value} ({counter.total:,.0f}), arm {other} has none"
                return Refusal(reason, comparable=False)
    requests = a.requests(), b.requests()
    if requests[0] is None or requests[1] is None:
        arm = "A" if requests[0] is None else "B"
        return Refusal(f"arm {arm} has no metric mapped to requests", comparable=False)
    return requests[0], requests[1]


def _increments(counter: Counter | None, like: FloatArray) -> FloatArray:
    return np.zeros_like(like) if counter is None else counter.increments


def _largest(arm: Arm, role: MetricRole) -> Counter | None:
    counters = [c for c in arm.counters if c.role is role]
    return max(counters, key=lambda c: c.total) if counters else None


def _cpu(metric: Metric, a: Arm, b: Arm, pairing: Pairing) -> tuple[Measured, ...]:
    shared = a.shared_process or b.shared_process
    subtree = metric.name == "function_cpu_per_request"
    if subtree and (shared or a.subtree is None or b.subtree is None):
        return ()
    requests_a, requests_b = a.requests(), b.requests()
    if requests_a is None or requests_b is None:
        arm = "A" if requests_a is None else "B"
        reason = f"arm {arm} has no metric mapped to requests"
        return (Measured("", metric.unit, Refusal(reason, comparable=False)),)
    if shared or subtree:
        outcome, notes = _subtree(a.subtree, b.subtree, requests_a, requests_b, pairing)
        return (Measured(SUBTREE, metric.unit, outcome, notes),)
    if a.cpu is None or b.cpu is None:
        reason = f"no process of arm {'A' if a.cpu is None else 'B'} was measured"
        return (Measured("process", metric.unit, Refusal(reason, comparable=False)),)
    left, right = Quotient(a.cpu.seconds, requests_a), Quotient(b.cpu.seconds, requests_b)
    return (Measured("process", metric.unit, ratio_of_sums(left, right, pairing)),)


def _subtree(
    a: SubtreeCpu | None, b: SubtreeCpu | None, requests_a: FloatArray, requests_b: FloatArray, pairing: Pairing
) -> tuple[Effect | Refusal, tuple[str, ...]]:
    if a is None or b is None:
        reason = "shared process: both arms' code ran in one process; name the functions that stand for them"
        return Refusal(reason, comparable=False), ()
    for side in (a, b):
        if side.samples < LEAST_SAMPLES:
            names = ", ".join(side.functions)
            reason = f"only {side.samples} samples fell into {names}: sample for longer, or at a higher rate"
            return Refusal(reason, comparable=True), ()
    outcome = ratio_of_sums(
        Quotient(a.seconds * a.outside, requests_a),
        Quotient(b.seconds * b.outside, requests_b),
        pairing,
        least_variance=a.sampling_variance + b.sampling_variance,
        extra_variance=a.outside_variance + b.outside_variance,
    )
    notes = [f"CPU of {', '.join(a.functions)} and what it calls, against {', '.join(b.functions)}"]
    for label, side in (("A", a), ("B", b)):
        if side.outside > 1:
            notes.append(f"arm {label}: CPU outside the interpreter lock added, × {side.outside:.2f}")
    return outcome, tuple(notes)


def _fault(a: Counter | Histogram, b: Counter | Histogram) -> Refusal | None:
    if a.unit != b.unit:
        return Refusal(f"the units differ: A is in {a.unit or 'none'}, B in {b.unit or 'none'}", comparable=False)
    for label, side in (("A", a), ("B", b)):
        if side.reversals > max(1.0, REVERSALS_REFUSED * side.intervals):
            return Refusal(reversed_text(label, side), comparable=False)
    return None


def reversed_text(label: str, side: Counter | Histogram) -> str:
    """What it means that a counter stepped backwards."""
    return (
        f"{side.name} of arm {label} stepped backwards {side.reversals} of {side.intervals} times without a new start: "
        "different processes answer under one address (a prefork server without multiprocess metrics)"
    )


def sources(arms: Sequence[Arm], role: MetricRole) -> tuple[bool, ...]:
    """Which arms have any metric of a role."""
    return tuple(bool(arm.names(role)) for arm in arms)
