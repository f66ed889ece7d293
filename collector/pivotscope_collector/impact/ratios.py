"""Ratios of sums: CPU-seconds per request, mean latency, anything per unit of exposure."""

from dataclasses import dataclass
from math import log

import numpy as np

from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.impact.arm import FloatArray
from pivotscope_collector.impact.effect import Effect, Refusal, Scale, linear_interval, log_interval
from pivotscope_collector.impact.pairing import Indices, Pairing
from pivotscope_collector.impact.serial import Spread, spread

ONE_BLOCK = "one block of time only: how much blocks vary is unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Quotient:
    """Numerator and denominator a block of one arm; NaN where not observed."""

    numerator: FloatArray
    denominator: FloatArray

    def observed(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Blocks in which both are known."""
        known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = np.isfinite(self.numerator) & np.isfinite(
            self.denominator
        )
        return known


@dataclass(frozen=True, slots=True, eq=False)
class Standardised:
    """Both arms over the same mix of strata.

    `rate_a` and `rate_b` weight each stratum by nA·nB ÷ (nA + nB) (Mantel–Haenszel), so that the stages of a rollout,
    in which the arms' shares differ, are never pooled. `influence_a` and `influence_b` are the blocks' contributions
    to the rates' errors; `exposure_a` and `exposure_b` are what as many unweighted units would say.
    """

    pairing: Pairing
    rate_a: float
    rate_b: float
    influence_a: FloatArray
    influence_b: FloatArray
    exposure_a: float
    exposure_b: float

    def spread(self, scale_a: float, scale_b: float) -> Spread | None:
        """Spread of scale_b · rate_b − scale_a · rate_a."""
        if self.pairing.paired:
            return spread(scale_b * self.influence_b - scale_a * self.influence_a, self.pairing.strata_a, paired=True)
        one = spread(scale_a * self.influence_a, self.pairing.strata_a)
        two = spread(scale_b * self.influence_b, self.pairing.strata_b)
        return one + two if one and two else None


def standardise(a: Quotient, b: Quotient, pairing: Pairing) -> Standardised | Refusal:
    """Rates of both arms with what each block contributed; a refusal where an arm has no exposure or one block."""
    observed = pairing.keep(a.observed(), b.observed())
    if observed.a.size == 0 or observed.b.size == 0:
        return Refusal("no block of time in which both arms were observed", comparable=False)
    for label, quotient, index in (("A", a, observed.a), ("B", b, observed.b)):
        if quotient.denominator[index].sum() <= 0:
            return Refusal(f"arm {label} had no requests", comparable=False)
    kept = observed.usable(a.denominator, b.denominator)
    if min(kept.a.size, kept.b.size) < 2:
        return Refusal(ONE_BLOCK, comparable=True)
    na, da, nb, db = a.numerator[kept.a], a.denominator[kept.a], b.numerator[kept.b], b.denominator[kept.b]
    strata = np.unique(kept.strata_a) if kept.paired else np.zeros(1, dtype=np.intp)
    sums_a = [_sums(na, da, kept.strata_a, s) for s in strata]
    sums_b = [_sums(nb, db, kept.strata_b, s) for s in strata]
    weights = np.array([x[1] * y[1] / (x[1] + y[1]) for x, y in zip(sums_a, sums_b, strict=True)])
    weights = weights / weights.sum()
    rate_a, influence_a, exposure_a = _weighted((na, da), kept.strata_a, strata, sums_a, weights)
    rate_b, influence_b, exposure_b = _weighted((nb, db), kept.strata_b, strata, sums_b, weights)
    return Standardised(kept, rate_a, rate_b, influence_a, influence_b, exposure_a, exposure_b)


def ratio_of_sums(
    a: Quotient, b: Quotient, pairing: Pairing, *, least_variance: float = 0.0, extra_variance: float = 0.0
) -> Effect | Refusal:
    """B's ratio of sums ÷ A's, with the interval of the linearised log ratio over blocks, paired where the arms were.

    Blocks weigh by their exposure and may hold zeros, which a mean of block-wise log ratios could not take; with
    equal exposures both agree. Variances are of the log ratio: `least_variance` is known from elsewhere to be in the
    blocks already (sampling error), so few lucky blocks cannot go below it; `extra_variance` is what blocks cannot
    show.
    """
    both = standardise(a, b, pairing)
    if isinstance(both, Refusal):
        return both
    if both.rate_a <= 0 or both.rate_b <= 0:
        return _difference(both)
    found = both.spread(1 / both.rate_a, 1 / both.rate_b)
    if found is None:
        return Refusal(ONE_BLOCK, comparable=True)
    found = Spread(max(found.variance, least_variance) + extra_variance, found.df, found.inflation)
    estimate = log(both.rate_b / both.rate_a)
    return Effect(
        scale=Scale.RATIO,
        change=log_interval(estimate, found),
        a=arm_value(both, "a"),
        b=arm_value(both, "b"),
        p_value=found.p_value(estimate),
        method=f"ratio of sums, linearised over {describe(both.pairing)}, Student's t",
        notes=serial_note(found),
    )


def arm_value(both: Standardised, which: str) -> Interval:
    """One arm's rate with its own interval over blocks, never below zero where the rate is not."""
    a = which == "a"
    rate, influence = (both.rate_a, both.influence_a) if a else (both.rate_b, both.influence_b)
    found = spread(influence, both.pairing.strata_a if a else both.pairing.strata_b)
    interval = linear_interval(rate, found) if found else Interval(rate, rate, rate)
    return Interval(rate, max(0.0, interval.low), interval.high) if rate >= 0 else interval


def describe(pairing: Pairing) -> str:
    """How many blocks of what kind an interval stands on."""
    if pairing.paired:
        stages = np.unique(pairing.strata_a).size
        return f"{pairing.a.size} paired blocks" + (f" in {stages} stages" if stages > 1 else "")
    return f"{pairing.a.size} blocks of A and {pairing.b.size} of B, not paired"


def serial_note(found: Spread) -> tuple[str, ...]:
    """A note where neighbouring blocks resemble each other enough to matter."""
    if found.inflation < 1.5:
        return ()
    return (f"neighbouring blocks resemble each other: variance × {found.inflation:.1f}",)


def _difference(both: Standardised) -> Effect | Refusal:
    found = both.spread(1.0, 1.0)
    if found is None:
        return Refusal(ONE_BLOCK, comparable=True)
    if both.rate_a == both.rate_b == 0:
        return Refusal("both arms are zero throughout", comparable=True)
    change = both.rate_b - both.rate_a
    return Effect(
        scale=Scale.DIFFERENCE,
        change=linear_interval(change, found),
        a=arm_value(both, "a"),
        b=arm_value(both, "b"),
        p_value=found.p_value(change),
        method=f"difference of ratios of sums over {describe(both.pairing)}, Student's t",
        notes=("a ratio needs values above zero in both arms", *serial_note(found)),
    )


def _sums(n: FloatArray, d: FloatArray, strata: Indices, stratum: int) -> tuple[float, float]:
    here = strata == stratum
    return float(n[here].sum()), float(d[here].sum())


def _weighted(
    values: tuple[FloatArray, FloatArray],
    of: Indices,
    strata: Indices,
    sums: list[tuple[float, float]],
    weights: FloatArray,
) -> tuple[float, FloatArray, float]:
    n, d = values
    influence = np.zeros(n.size)
    rate = inverse = 0.0
    for stratum, (top, bottom), weight in zip(strata, sums, weights, strict=True):
        here = of == stratum
        r = top / bottom
        rate += weight * r
        inverse += weight * weight / bottom
        influence[here] = weight * (n[here] - r * d[here]) / bottom
    return float(rate), influence, float(1 / inverse)
