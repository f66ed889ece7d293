"""An effect: how B differs from A, with its interval."""

from dataclasses import dataclass
from enum import StrEnum
from math import exp

from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.impact.serial import Spread


class Scale(StrEnum):
    """What an effect's numbers mean: B ÷ A (1 is no change), or B − A (0 is no change)."""

    RATIO = "ratio"
    DIFFERENCE = "difference"

    @property
    def neutral(self) -> float:
        """The value of "no change"."""
        return 1.0 if self is Scale.RATIO else 0.0


@dataclass(frozen=True, slots=True)
class Effect:
    """B against A: estimate and 95 % interval on a scale (bounds may be infinite), p of "no change", and the method.

    `a` and `b` are the arms' own values in the metric's unit. A second scale may stand beside the first.
    """

    scale: Scale
    change: Interval
    a: Interval
    b: Interval
    p_value: float
    method: str
    notes: tuple[str, ...] = ()
    also: Interval | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no effect. `comparable` is False where the arms cannot be compared, True where data are too few."""

    reason: str
    comparable: bool


def log_interval(estimate: float, spread: Spread) -> Interval:
    """Exp of a log ratio and of its t interval."""
    half = spread.half_width
    return Interval(exp(estimate), _exp(estimate - half), _exp(estimate + half))


def linear_interval(estimate: float, spread: Spread) -> Interval:
    """An estimate and its t interval."""
    half = spread.half_width
    return Interval(estimate, estimate - half, estimate + half)


def _exp(x: float) -> float:
    return exp(min(max(x, -700.0), 700.0))
