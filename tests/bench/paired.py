"""What a change costs, from rounds that were taken by turns."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, median, stdev

_T = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26, 12: 2.20, 15: 2.14, 20: 2.09}
"""Student's t at 97.5 % for so many rounds; the next lower number of rounds is on the safe side."""


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
    """How much more `after` is than `before`, pair by pair; at least two pairs."""
    pairs = [second / first - 1.0 for first, second in zip(before, after, strict=True)]
    t = _T[max(number for number in _T if number <= len(pairs))]
    error = t * stdev(pairs) / sqrt(len(pairs))
    middle = mean(pairs)
    return Difference(middle, middle - error, middle + error, median(pairs), min(pairs), max(pairs), len(pairs))
