"""The split of pools' attributed CPU over their functions.

Arrays of functions are (pools, functions), numbers of pools (pools, 1): one pool with thousands of functions and one
function in hundreds of steps are the same few vector operations. Estimates need all functions, their intervals cost
several times as much and are made of those that are shown.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import Bounded
from pivotscope_collector.estimates.outside import Rates, split_self, split_total
from pivotscope_collector.estimates.seen import ModeSums, Rows, Seen
from pivotscope_collector.estimates.share import Vector

Z = 1.96
DELAY_ERROR = 0.5
"""How far, as a part of it, the measured delay may be from what the lock's holders waited: a bound of what was seen."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """Self or total of functions in parts of the pool's CPU: `under` the lock × `held`, and `outside`.

    `outside` and `held` have their 95 % bounds. Where there is no lock to see, everything is `under`.
    """

    under: Bounded
    outside: Bounded
    held: Vector
    held_low: Vector
    held_high: Vector

    @property
    def held_part(self) -> Vector:
        """What ran under the lock."""
        return self.under.estimate * self.held

    def intervals(self, attributed: Vector) -> Bounded:
        """Both parts in nanoseconds; their errors add in quadrature."""
        share, beyond = self.under, self.outside
        estimate = self.held_part + beyond.estimate
        less, more = share.estimate * (self.held - self.held_low), share.estimate * (self.held_high - self.held)
        low = _hypot((share.estimate - share.low) * self.held, less, beyond.estimate - beyond.low)
        high = _hypot((share.high - share.estimate) * self.held, more, beyond.high - beyond.estimate)
        return Bounded(
            estimate * attributed,
            np.maximum(0.0, estimate - low) * attributed,
            np.minimum(1.0, estimate + high) * attributed,
        )


@dataclass(frozen=True, slots=True)
class Part:
    """Self or total of functions in parts of the pool's CPU: the share of that `under` the lock, and `outside` it."""

    under: Vector
    outside: Vector


@dataclass(frozen=True, slots=True)
class Estimate:
    """Estimates of every function of every pool; `excess` is what active windows see beyond gil windows, in all."""

    seen: Seen
    held: Vector
    own: Part
    total: Part
    excess: Vector

    @property
    def self_ns(self) -> Vector:
        """CPU of the functions themselves, in nanoseconds."""
        return (self.own.under * self.held + self.own.outside) * self.seen.attributed

    @property
    def total_ns(self) -> Vector:
        """CPU of the functions and of what they call, in nanoseconds."""
        whole = (self.total.under * self.held + self.total.outside) * self.seen.attributed
        return np.maximum(whole, self.self_ns)


@dataclass(frozen=True, slots=True)
class Split:
    """CPU of every function of every pool, in nanoseconds. `clusters` are the windows that it was estimated from."""

    attributed: Vector
    clusters: Vector
    samples: Vector
    self_ns: Bounded
    total_ns: Bounded
    native_ns: Bounded
    self_native_ns: Vector
    native_known: NDArray[np.bool_]


def held_fraction(gil: ModeSums) -> Vector:
    """The part of CPU that holds the interpreter lock, at most 1: time sampled with `gil` ÷ what samples can see.

    A thread that was preempted holds the lock while it waits for a processor, and samples see it run. Waiting stretches
    CPU under the lock and outside it alike: both are multiplied by 1 + delay ÷ CPU, which is divided out again.
    """
    return np.minimum(1.0, _ratio(gil.x, gil.runnable_ns, 1.0))


def held_bounds(gil: ModeSums, active: ModeSums | None) -> tuple[Vector, Vector]:
    """95 % bounds of the held fraction: of counting samples, and of the delay, which is known to within a part.

    A fraction above 1 says for certain that more waited than was measured; then the truth may be as low as gil ÷ active
    time, which is exact but for sleepers.
    """
    held, measured = held_fraction(gil), gil.runnable_ns > 0.0
    error = np.where(gil.samples > 0.0, Z / np.sqrt(np.maximum(gil.samples, 1.0)), 1.0)
    seen, unsure = _ratio(gil.x, gil.runnable_ns, 1.0), DELAY_ERROR * _ratio(gil.delay_ns, gil.runnable_ns, 0.0)
    low = held - held * np.hypot(error, unsure / (1.0 + unsure))
    if active is not None:
        low = np.where(seen > 1.0, np.minimum(low, seen * active.visible_ns / active.x), low)
    high = np.where(measured, np.minimum(1.0, held + held * np.hypot(error, unsure / (1.0 - unsure))), 1.0)
    return np.maximum(0.0, low), high


def _ratio(part: Vector, whole: Vector, otherwise: float) -> Vector:
    return np.where(whole > 0.0, part / np.where(whole > 0.0, whole, 1.0), otherwise)


def split(seen: Seen) -> Split:
    """CPU of every function seen in pools, with intervals."""
    return bounded(estimate(seen), np.arange(seen.shape[1]))


def estimate(seen: Seen) -> Estimate:
    """CPU of every function seen in pools.

    With gil windows their shares split the held part, and what active windows see beyond them splits the rest, which
    counts as native. Without, the active (else the native) windows split everything.
    """
    own_share, total_share = seen.ratios(seen.base, total=False), seen.ratios(seen.base, total=True)
    if seen.base is not Mode.GIL:
        nothing, all_of_it = np.zeros(seen.shape), np.ones_like(seen.attributed)
        return Estimate(seen, all_of_it, Part(own_share, nothing), Part(total_share, nothing), np.zeros_like(all_of_it))
    gil, active = seen.modes[Mode.GIL], seen.modes.get(Mode.ACTIVE)
    held = held_fraction(gil)
    scale = _scale(active, held)
    own_active = seen.ratios(Mode.ACTIVE, total=False) if active else own_share
    total_active = seen.ratios(Mode.ACTIVE, total=True) if active else total_share
    cpu = (active or gil).visible_ns, gil.visible_ns
    own_rates = Rates(_closed(own_active) * scale, _closed(own_share) * held, *cpu)
    total_rates = Rates(total_active * scale, total_share * held, *cpu)
    outside = 1.0 - held
    own_outside = split_self(own_rates, outside)[:, :-1]
    total_outside = split_total(total_rates, own_rates, own_outside, outside)
    excess = np.maximum(0.0, own_rates.excess).sum(axis=1, keepdims=True)
    return Estimate(seen, held, Part(own_share, own_outside), Part(total_share, total_outside), excess)


def bounded(found: Estimate, rows: Rows) -> Split:
    """Some of the functions with their intervals."""
    seen = found.seen.at(rows)
    own, total = (
        _quantity(found, seen, part.outside[:, rows], total=total)
        for part, total in ((found.own, False), (found.total, True))
    )
    return _combine(seen, own, total)


def _scale(active: ModeSums | None, held: Vector) -> Vector:
    """What a share of active windows stands for, in parts of the pool's CPU."""
    return active.x / active.visible_ns if active else held


def _quantity(found: Estimate, seen: Seen, part: Vector, *, total: bool) -> Quantity:
    """Both parts with their bounds; `part` is what is outside the lock."""
    under, held = seen.shares(seen.base, total=total), found.held
    if seen.base is not Mode.GIL:
        return Quantity(under, Bounded(part, part, part), held, held, held)
    gil, active = seen.modes[Mode.GIL], seen.modes.get(Mode.ACTIVE)
    held_low, held_high = held_bounds(gil, active)
    outside = 1.0 - held
    if active is None:
        nothing = np.zeros_like(part)
        return Quantity(under, Bounded(part, nothing, nothing + outside), held, held_low, held_high)
    beyond, scale = seen.shares(Mode.ACTIVE, total=total), _scale(active, held)
    error = _hypot((beyond.high - beyond.low) * scale, (under.high - under.low) * held) / 2.0
    excess = np.maximum(0.0, beyond.estimate * scale - under.estimate * held)
    low = np.maximum(0.0, np.minimum(part, outside - (found.excess - excess)) - error)
    high = np.minimum(1.0 - held_low, np.maximum(part, excess) + error)
    return Quantity(under, Bounded(part, low, np.maximum(part, high)), held, held_low, held_high)


def _combine(seen: Seen, own: Quantity, total: Quantity) -> Split:
    attributed = seen.attributed
    own_ns, total_ns = own.intervals(attributed), total.intervals(attributed)
    total_ns = Bounded(
        np.maximum(total_ns.estimate, own_ns.estimate),
        np.maximum(total_ns.low, own_ns.low),
        np.maximum(total_ns.high, own_ns.high),
    )
    own_part, _, _ = seen.native(total=False)
    part, of, known = seen.native(total=True)
    native = (total.held_part * part + total.outside.estimate) * attributed
    count_error = Z * np.sqrt(part * (1.0 - part) / np.maximum(of, 1.0)) * total.held_part
    low = native - _hypot(count_error, total.outside.estimate - total.outside.low) * attributed
    high = native + _hypot(count_error, total.outside.high - total.outside.estimate) * attributed
    return Split(
        attributed=attributed,
        clusters=seen.modes[seen.base].windows,
        samples=seen.sums(seen.base, "total_samples"),
        self_ns=own_ns,
        total_ns=total_ns,
        native_ns=Bounded(native, np.maximum(0.0, low), np.maximum(native, np.minimum(total_ns.high, high))),
        self_native_ns=(own.held_part * own_part + own.outside.estimate) * attributed,
        native_known=known,
    )


def _hypot(*parts: Vector) -> Vector:
    return np.sqrt(sum(part * part for part in parts))


def _closed(values: Vector) -> Vector:
    """The values and what they leave of 1: the functions that were not handed in."""
    rest = np.maximum(0.0, 1.0 - values.sum(axis=1, keepdims=True))
    return np.concatenate((values, rest), axis=1)
