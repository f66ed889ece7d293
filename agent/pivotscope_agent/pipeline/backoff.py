"""Pauses that grow with failures and are spread by chance. Pure but for the randomness given."""

from random import Random


class Backoff:
    """Exponential pauses with full jitter between half of the ceiling and the ceiling.

    The n-th pause in a row is drawn from [c/2, c] with c = min(longest, first x 2^(n-1)): agents that lost the same
    collector come back spread out, and none comes back at once.
    """

    def __init__(self, *, first_s: float, longest_s: float, random: Random) -> None:
        self._first = first_s
        self._longest = longest_s
        self._random = random
        self._failures = 0

    def pause(self) -> float:
        """Seconds to wait now."""
        ceiling = min(self._longest, self._first * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return ceiling * (0.5 + 0.5 * self._random.random())

    def reset(self) -> None:
        """The last attempt went well."""
        self._failures = 0
