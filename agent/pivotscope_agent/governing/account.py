"""Something that fills at a steady rate and is spent."""

LONGEST_DEBT_S = 180.0
"""A debt is forgotten beyond this: nobody waits for ever for what one window did."""


class Account:
    """Nanoseconds that may be spent. `rate` is how fast it fills: cores of CPU, or the part of the time stopped."""

    def __init__(self, now_ns: int) -> None:
        self._level = 0.0
        self._at_ns = now_ns

    def settle(self, now_ns: int, rate: float, ceiling_ns: float) -> float:
        """What is there now; savings beyond `ceiling_ns` are lost. Negative: a debt."""
        filled = self._level + rate * max(0, now_ns - self._at_ns)
        self._level = max(-LONGEST_DEBT_S * 1e9 * rate, min(filled, max(ceiling_ns, 0.0)))
        self._at_ns = max(now_ns, self._at_ns)
        return self._level

    def spend(self, spent_ns: float) -> None:
        """Take out; negative puts back what was set aside and not needed."""
        self._level -= spent_ns
