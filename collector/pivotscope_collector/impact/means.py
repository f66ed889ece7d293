"""Means per unit of exposure: revenue or engagement per request."""

from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.impact.effect import Effect, Refusal, Scale, linear_interval
from pivotscope_collector.impact.pairing import Pairing
from pivotscope_collector.impact.ratios import (
    ONE_BLOCK,
    Quotient,
    Standardised,
    arm_value,
    describe,
    serial_note,
    standardise,
)


def difference_of_means(a: Quotient, b: Quotient, pairing: Pairing) -> Effect | Refusal:
    """B's mean minus A's, each a ratio of sums over blocks: paired by block, else Welch.

    On the linear scale, because revenue can be zero or negative (refunds). Where A's mean is above zero the change
    relative to it stands beside it as a ratio, linearised from the same blocks.
    """
    both = standardise(a, b, pairing)
    if isinstance(both, Refusal):
        return both
    found = both.spread(1.0, 1.0)
    if found is None:
        return Refusal(ONE_BLOCK, comparable=True)
    if both.rate_a == both.rate_b == 0:
        return Refusal("both arms are zero throughout", comparable=True)
    change = both.rate_b - both.rate_a
    kind = "paired t" if both.pairing.paired else "Welch's t"
    return Effect(
        scale=Scale.DIFFERENCE,
        change=linear_interval(change, found),
        a=arm_value(both, "a"),
        b=arm_value(both, "b"),
        p_value=found.p_value(change),
        method=f"difference of means over {describe(both.pairing)}, {kind}",
        notes=serial_note(found),
        also=_relative(both),
    )


def _relative(both: Standardised) -> Interval | None:
    if both.rate_a <= 0:
        return None
    ratio = both.rate_b / both.rate_a
    found = both.spread(ratio / both.rate_a, 1 / both.rate_a)
    return linear_interval(ratio, found) if found else None
