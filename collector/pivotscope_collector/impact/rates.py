"""Rates of counters: throughput, events a second."""

from math import log, sqrt

from scipy.special import ndtr
from statsmodels.stats.rates import confint_poisson_2indep

from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.impact.effect import Effect, Refusal, Scale
from pivotscope_collector.impact.pairing import Pairing
from pivotscope_collector.impact.ratios import ONE_BLOCK, Quotient, arm_value, describe, standardise
from pivotscope_collector.impact.serial import NORMAL_QUANTILE, quantile


def rate_ratio(a: Quotient, b: Quotient, pairing: Pairing) -> Effect | Refusal:
    """B's rate ÷ A's: Poisson interval with exposure (MOVER), on counts divided by the dispersion that the blocks show.

    Traffic is hardly ever Poisson. The quasi-Poisson variance (dispersion never below 1, by the linearised log ratio
    over blocks, times (t ÷ z)²) takes the negative binomial's place: it needs no form of the extra variance.
    """
    both = standardise(a, b, pairing)
    if isinstance(both, Refusal):
        return both
    if both.rate_a < 0 or both.rate_b < 0:
        return Refusal("a rate below zero: the metric is no counter", comparable=False)
    if both.rate_a == 0 or both.rate_b == 0:
        return Refusal(f"arm {'A' if both.rate_a == 0 else 'B'} counted no event", comparable=True)
    found = both.spread(1 / both.rate_a, 1 / both.rate_b)
    if found is None:
        return Refusal(ONE_BLOCK, comparable=True)
    count_a, count_b = both.rate_a * both.exposure_a, both.rate_b * both.exposure_b
    model = 1 / count_a + 1 / count_b
    dispersion = max(1.0, found.variance / model)
    design = dispersion * (quantile(found.df) / NORMAL_QUANTILE) ** 2
    low, high = confint_poisson_2indep(
        count_b / design,
        both.exposure_b / design,
        count_a / design,
        both.exposure_a / design,
        method="mover",
        compare="ratio",
    )
    estimate = both.rate_b / both.rate_a
    return Effect(
        scale=Scale.RATIO,
        change=Interval(estimate, max(0.0, float(low)), float(high)),
        a=arm_value(both, "a"),
        b=arm_value(both, "b"),
        p_value=float(2 * ndtr(-abs(log(estimate)) / sqrt(model * design))),
        method=f"Poisson interval (MOVER), {describe(both.pairing)}",
        notes=(f"more varied than Poisson: variance × {dispersion:.1f}",) if dispersion > 1.5 else (),
    )
