"""From an interval to a word."""

from dataclasses import dataclass
from enum import StrEnum

from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.impact.catalogue import Better, Metric
from pivotscope_collector.impact.effect import Effect, Refusal, Scale


class Verdict(StrEnum):
    """What a comparison says of one metric."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference shown"
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and its reason, for a person."""

    verdict: Verdict
    reason: str


def judge(outcome: Effect | Refusal, metric: Metric) -> Judgement:
    """Better or worse where the 95 % interval leaves "no change" out.

    Otherwise "no difference shown" where the interval lies within the metric's margin, and "inconclusive" where a
    difference larger than the margin cannot be ruled out.
    """
    if isinstance(outcome, Refusal):
        verdict = Verdict.INCONCLUSIVE if outcome.comparable else Verdict.NOT_COMPARABLE
        return Judgement(verdict, outcome.reason)
    change, neutral = outcome.change, outcome.scale.neutral
    if change.low < change.high and (change.high <= neutral or change.low >= neutral):
        lower = change.high <= neutral
        verdict = Verdict.BETTER if lower is (metric.better is Better.LOWER) else Verdict.WORSE
        small = _within(outcome, metric)
        return Judgement(
            verdict, "smaller than the margin that matters" if small else "the interval leaves no change out"
        )
    if _within(outcome, metric):
        return Judgement(Verdict.NO_DIFFERENCE, f"any difference is within {margin_text(metric)}")
    return Judgement(Verdict.INCONCLUSIVE, f"a difference beyond {margin_text(metric)} cannot be ruled out")


def margin_text(metric: Metric) -> str:
    """The margin for a person: "±5 %", or "±0.1 percentage points"."""
    return f"±{metric.margin * 100:g} " + ("percentage points" if metric.absolute else "%")


def _within(effect: Effect, metric: Metric) -> bool:
    if metric.absolute:
        return effect.scale is Scale.DIFFERENCE and _inside(effect.change, -metric.margin, metric.margin)
    ratio = effect.change if effect.scale is Scale.RATIO else effect.also
    return ratio is not None and _inside(ratio, 1 / (1 + metric.margin), 1 + metric.margin)


def _inside(interval: Interval, low: float, high: float) -> bool:
    return low <= interval.low and interval.high <= high
