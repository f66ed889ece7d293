"""The part of CPU under the interpreter lock, and functions on both sides of it."""

from dataclasses import dataclass

import numpy as np

from pivotscope_collector.estimates.columns import Bounded
from pivotscope_collector.estimates.seen import ModeSums
from pivotscope_collector.estimates.share import Vector, Z, quadrature, quotient

DELAY_ERROR = 0.5
"""How far, as a part of it, the measured delay may be from what the lock's holders waited: a bound of what was seen."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """Self or total of functions in parts of the pool's CPU: `all`, of which `held` under the lock, `outside` it.

    `all` and `outside` have their 95 % bounds. Where there is no lock to see, everything is held.
    """

    all: Bounded
    held: Vector
    outside: Bounded

    def intervals(self, attributed: Vector) -> Bounded:
        """In nanoseconds."""
        return Bounded(*(part * attributed for part in (self.all.estimate, self.all.low, self.all.high)))


@dataclass(frozen=True, slots=True)
class Lock:
    """The part of CPU under the interpreter lock, with its 95 % bounds."""

    held: Vector
    low: Vector
    high: Vector

    @property
    def outside(self) -> Vector:
        """The rest."""
        return 1.0 - self.held

    def quantity(self, under: Bounded, outside: Bounded) -> Quantity:
        """A function's share `under` the lock, and its part `outside`, that is bounded with `held` as it is, together.

        Of CPU outside the lock a function has a part f, and of that under it its share s: s + (f − s)·outside. What is
        not known of the lock moves CPU from one to the other, and matters only as far as f and s differ. The share's
        own error adds in quadrature, for other windows tell it.
        """
        part = quotient(outside.estimate, self.outside, under.estimate)
        least, most = (
            np.clip(quotient(bound, self.outside, otherwise), 0.0, 1.0)
            for bound, otherwise in ((outside.low, 0.0), (outside.high, 1.0))
        )
        least, most = np.minimum(least, part), np.maximum(most, part)
        ends = 1.0 - self.high, 1.0 - self.low
        share = under.estimate
        all_of_it = share * self.held + outside.estimate
        low = np.minimum(*((least - share) * end for end in ends)) + share
        high = np.maximum(*((most - share) * end for end in ends)) + share
        return Quantity(
            Bounded(
                all_of_it,
                np.maximum(0.0, all_of_it - quadrature(self.held * (share - under.low), all_of_it - low)),
                np.minimum(1.0, all_of_it + quadrature(self.held * (under.high - share), high - all_of_it)),
            ),
            share * self.held,
            Bounded(outside.estimate, least * ends[0], most * ends[1]),
        )


def held_fraction(gil: ModeSums) -> Vector:
    """The part of CPU that holds the interpreter lock, at most 1: time sampled with `gil` ÷ what samples can see.

    A thread that was preempted holds the lock while it waits for a processor, and samples see it run. Waiting stretches
    CPU under the lock and outside it alike: both are multiplied by 1 + delay ÷ CPU, which is divided out again.
    """
    return np.minimum(1.0, quotient(gil.x, gil.runnable_ns, 1.0))


def lock(gil: ModeSums, active: ModeSums | None) -> Lock:
    """The held fraction with its 95 % bounds: of counting samples, and of the delay, which is known to within a part.

    A look finds one holder or none, so their number is binomial: its variance is less than the count by the part of the
    looks that found one. A fraction above 1 says for certain that more waited than was measured; then the truth may be
    as low as gil ÷ active time, which is exact but for sleepers.
    """
    held, measured = held_fraction(gil), gil.runnable_ns > 0.0
    none = 1.0 - np.minimum(1.0, quotient(gil.x, gil.looked_ns, 0.0))
    error = np.where(gil.samples > 0.0, Z * np.sqrt(none / np.maximum(gil.samples, 1.0)), 1.0)
    seen, unsure = quotient(gil.x, gil.runnable_ns, 1.0), DELAY_ERROR * quotient(gil.delay_ns, gil.runnable_ns, 0.0)
    low = held - held * np.hypot(error, unsure / (1.0 + unsure))
    if active is not None:
        low = np.where(seen > 1.0, np.minimum(low, seen * active.visible_ns / active.x), low)
    high = np.where(measured, np.minimum(1.0, held + held * np.hypot(error, unsure / (1.0 - unsure))), 1.0)
    return Lock(held, np.maximum(0.0, low), high)
