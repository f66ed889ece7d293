"""What a change costs, from rounds that were taken by turns."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, log, sqrt
from statistics import mean, median, stdev

from scipy.special import stdtrit


@dataclass(frozen=True, slots=True)
class Difference:
    """Relative differences of pairs of rounds: mean with its 95 % interval, median, least and largest."""

    mean: float
    low: float
    high: float
    median: float
    least: float
    largest: float
    rounds: int

    def __str__(self) -> str:
        """In percent."""
        return (
            f"{100 * self.mean:+.2f} % ({100 * self.low:+.2f} to {100 * self.high:+.2f}); "
            f"median {100 * self.median:+.2f}, "
            f"{self.rounds} rounds {100 * self.least:+.1f} to {100 * self.largest:+.1f}"
        )


def differences(before: Sequence[float], after: Sequence[float]) -> Difference:
    """How much more `after` is than `before`, pair by pair; at least two pairs.

    The mean is that of the logarithms, with Student's t: the mean of quotients is too large by the square of their
    scatter, and here tenths of a percent count.
    """
    pairs = [log(second / first) for first, second in zip(before, after, strict=True)]
    middle, error = mean(pairs), stdtrit(len(pairs) - 1, 0.975) * stdev(pairs) / sqrt(len(pairs))
    return Difference(
        mean=expm1(middle),
        low=expm1(middle - error),
        high=expm1(middle + error),
        median=expm1(median(pairs)),
        least=expm1(min(pairs)),
        largest=expm1(max(pairs)),
        rounds=len(pairs),
    )
