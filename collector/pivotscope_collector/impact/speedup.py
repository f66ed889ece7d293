"""The measured speed-up of one function, held against what the plan had predicted."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.impact.effect import Effect, Scale


class Predicted(Protocol):
    """P10, P50 and P90 of a predicted speed-up."""

    @property
    def p10(self) -> float:
        """One outcome in ten was expected below."""

    @property
    def p50(self) -> float:
        """The median."""

    @property
    def p90(self) -> float:
        """One outcome in ten was expected above."""


class Outcome(StrEnum):
    """How a prediction fared."""

    HELD = "held"
    OPEN = "open"
    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True)
class Statement:
    """A prediction's outcome, in a word and in a sentence."""

    outcome: Outcome
    text: str

    @property
    def holds(self) -> bool:
        """Whether the measured estimate lies in the predicted interval."""
        return self.outcome is Outcome.HELD


def measured_speedup(cpu: Effect | None) -> Interval | None:
    """CPU per request of A's subtree ÷ B's, from the effect of the function's CPU per request (B ÷ A)."""
    if cpu is None or cpu.scale is not Scale.RATIO or cpu.change.low <= 0:
        return None
    change = cpu.change
    return Interval(1 / change.estimate, 1 / change.high, 1 / change.low)


def holds(predicted: Predicted, measured: Interval) -> Statement:
    """Whether the predicted P10–P90 holds what was measured; a miss is said plainly."""
    said = f"predicted {predicted.p50:.1f}× (P10–P90 {predicted.p10:.1f}–{predicted.p90:.1f})"
    seen = f"measured {measured.estimate:.1f}× (95 % interval {measured.low:.1f}–{measured.high:.1f})"
    if predicted.p10 <= measured.estimate <= predicted.p90:
        return Statement(Outcome.HELD, f"The prediction held: {said}, {seen}.")
    if measured.high >= predicted.p10 and measured.low <= predicted.p90:
        return Statement(
            Outcome.OPEN, f"The prediction neither held nor failed: {said}, {seen}; the intervals overlap."
        )
    if measured.high < predicted.p10:
        return Statement(Outcome.BELOW, f"The prediction did not hold: {said}, {seen}: it brought less than predicted.")
    return Statement(Outcome.ABOVE, f"The prediction did not hold: {said}, {seen}: it brought more than predicted.")
