"""Proportions: error rate, failures of output validation."""

from math import inf, isfinite, sqrt

from scipy.special import ndtr
from statsmodels.stats.proportion import confint_proportions_2indep

from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.impact.effect import Effect, Refusal, Scale
from pivotscope_collector.impact.pairing import Pairing
from pivotscope_collector.impact.ratios import ONE_BLOCK, Quotient, arm_value, describe, standardise
from pivotscope_collector.impact.serial import NORMAL_QUANTILE, quantile


def risk_difference(a: Quotient, b: Quotient, pairing: Pairing) -> Effect | Refusal:
    """B's proportion minus A's (Newcombe), the risk ratio (score) beside it.

    Errors come in bursts, so counts and exposures are divided by the design effect that the blocks show, never below 1
    (Rao & Scott 1992, Biometrics 48:577), times (t ÷ z)² for few blocks. Stages are standardised, not pooled.
    """
    both = standardise(a, b, pairing)
    if isinstance(both, Refusal):
        return both
    pa, pb = both.rate_a, both.rate_b
    if max(pa, pb) > 1 or min(pa, pb) < 0:
        return Refusal(
            "more failures were counted than tries: the two metrics do not belong together", comparable=False
        )
    found = both.spread(1.0, 1.0)
    if found is None:
        return Refusal(ONE_BLOCK, comparable=True)
    model = pa * (1 - pa) / both.exposure_a + pb * (1 - pb) / both.exposure_b
    burst = max(1.0, found.variance / model) if model > 0 else 1.0
    design = burst * (quantile(found.df) / NORMAL_QUANTILE) ** 2
    na, nb = both.exposure_a / design, both.exposure_b / design
    low, high = confint_proportions_2indep(pb * nb, nb, pa * na, na, method="newcomb", compare="diff")
    pooled = (pa * na + pb * nb) / (na + nb)
    se = sqrt(pooled * (1 - pooled) * (1 / na + 1 / nb))
    notes = (f"events come in bursts: variance × {burst:.1f}",) if burst > 1.5 else ()
    return Effect(
        scale=Scale.DIFFERENCE,
        change=Interval(pb - pa, float(low), float(high)),
        a=arm_value(both, "a"),
        b=arm_value(both, "b"),
        p_value=float(2 * ndtr(-abs(pb - pa) / se)) if se > 0 else 1.0,
        method=f"Newcombe interval of the risk difference, {describe(both.pairing)}",
        notes=notes,
        also=_risk_ratio(pa, na, pb, nb),
    )


def _risk_ratio(pa: float, na: float, pb: float, nb: float) -> Interval | None:
    if pa <= 0 or pb <= 0:
        return None
    low, high = confint_proportions_2indep(pb * nb, nb, pa * na, na, method="score", compare="ratio")
    return Interval(pb / pa, max(0.0, float(low)), float(high) if isfinite(high) else inf)
