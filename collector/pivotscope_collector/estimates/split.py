"""The split of pools' attributed CPU over their functions.

Arrays of functions are (pools, functions), numbers of pools (pools, 1): one pool with thousands of functions and one
function in hundreds of steps are the same few vector operations. Estimates need all functions, their intervals cost
several times as much and are made of those that are shown.
"""

from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import Bounded
from pivotscope_collector.estimates.lock import Lock, Quantity, held_fraction, lock
from pivotscope_collector.estimates.outside import Beyond, Rates, split_self, split_total
from pivotscope_collector.estimates.seen import Flags, ModeSums, Rows, Seen
from pivotscope_collector.estimates.share import MINIMUM_CLUSTERS, Vector, Z, quadrature, quotient


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
    """CPU of every function of every pool, in nanoseconds; `there` says which pools have seen it.

    `clusters` are the windows that it was estimated from.
    """

    there: Flags
    attributed: Vector
    clusters: Vector
    samples: Vector
    self_ns: Bounded
    total_ns: Bounded
    native_ns: Bounded
    self_native_ns: Vector
    native_known: Flags


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
    outside = 1.0 - held
    if active is None:
        own_part, total_part = (Part(share, share * outside) for share in (own_share, total_share))
        return Estimate(seen, held, own_part, total_part, np.zeros_like(held))
    own_active, total_active = (seen.ratios(Mode.ACTIVE, total=total) for total in (False, True))
    own = _beyond(active, _closed(own_active), gil, _closed(own_share))
    total = _beyond(active, total_active, gil, total_share)
    own_outside = split_self(own, outside)[:, :-1]
    total_outside = split_total(total, own, own_outside, outside)
    excess = np.maximum(0.0, own.excess).sum(axis=1, keepdims=True)
    return Estimate(seen, held, Part(own_share, own_outside), Part(total_share, total_outside), excess)


def bounded(found: Estimate, rows: Rows) -> Split:
    """Some of the functions with their intervals."""
    seen = found.seen.at(rows)
    held = lock(seen.modes[Mode.GIL], seen.modes.get(Mode.ACTIVE)) if seen.base is Mode.GIL else None
    outside = np.stack([part.outside[:, rows] for part in (found.own, found.total)])
    return _combine(seen, _quantity(found, seen, held, outside))


def _beyond(active: ModeSums, sampled: Vector, gil: ModeSums, share: Vector) -> Beyond:
    """What shares of active windows say beyond those of gil windows, in parts of the pools' CPU."""
    return Beyond.of(Rates(sampled * _scale(active), active.grain), Rates(share * held_fraction(gil), gil.grain))


def _scale(active: ModeSums) -> Vector:
    """What a share of active windows stands for, in parts of the pool's CPU."""
    return active.x / active.visible_ns


def _quantity(found: Estimate, seen: Seen, held: Lock | None, part: Vector) -> Quantity:
    """Self and total with their bounds; `part` of them is outside the lock, which there may be none of to see."""
    under = seen.shares(seen.base)
    if held is None:
        return Quantity(under, under.estimate, Bounded(part, part, part))
    gil, active = seen.modes[Mode.GIL], seen.modes.get(Mode.ACTIVE)
    if active is None:
        # Nothing tells who ran outside the lock: any part of it may be a function's.
        return held.quantity(under, Bounded(part, np.zeros_like(part), np.zeros_like(part) + held.outside))
    sampled = seen.shares(Mode.ACTIVE)
    beyond = _beyond(active, sampled.estimate, gil, under.estimate)
    # The shares' own intervals tell how windows differ, where there are enough active ones to tell.
    clustered = quadrature(_half(sampled) * _scale(active), _half(under) * held.held)
    # Active windows are expected to see what holds the lock: where they have seen less, that is still their doubt.
    unseen = np.maximum(0.0, -beyond.excess) * active.grain
    counted = Z * np.sqrt((beyond.variance + unseen) * _differ(under, gil))
    error = np.where(active.windows >= MINIMUM_CLUSTERS, clustered, counted)
    excess = np.maximum(0.0, beyond.excess)
    low = np.minimum(part, held.outside - (found.excess - excess)) - error
    return held.quantity(under, Bounded(part, np.maximum(0.0, low), np.maximum(part, excess) + error))


def _half(share: Bounded) -> Vector:
    return (share.high - share.low) / 2.0


def _differ(share: Bounded, mode: ModeSums) -> Vector:
    """How many times the variance of a share, by windows, is that of counting its samples; at least 1."""
    counted = share.estimate * (1.0 - share.estimate) / np.maximum(mode.samples, 1.0)
    return np.maximum(1.0, quotient((_half(share) / Z) ** 2, counted, 1.0))


def _combine(seen: Seen, both: Quantity) -> Split:
    attributed = seen.attributed
    columns = both.intervals(attributed)
    own_ns, total_ns = (
        Bounded(*(column(one) for one in (columns.estimate, columns.low, columns.high)))
        for column in (itemgetter(0), np.maximum.reduce)
    )
    own_part, _, _ = seen.native(total=False)
    part, of, known = seen.native(total=True)
    own_held, total_held = both.held
    own_outside, outside = both.outside.estimate
    native = (total_held * part + outside) * attributed
    count_error = Z * np.sqrt(part * (1.0 - part) / np.maximum(of, 1.0)) * total_held
    low = native - quadrature(count_error, outside - both.outside.low[1]) * attributed
    high = native + quadrature(count_error, both.outside.high[1] - outside) * attributed
    return Split(
        there=seen.there,
        attributed=attributed,
        clusters=seen.modes[seen.base].windows,
        samples=seen.sums(seen.base, "total_samples"),
        self_ns=own_ns,
        total_ns=total_ns,
        native_ns=Bounded(native, np.maximum(0.0, low), np.maximum(native, np.minimum(total_ns.high, high))),
        self_native_ns=(own_held * own_part + own_outside) * attributed,
        native_known=known,
    )


def _closed(values: Vector) -> Vector:
    """The values and what they leave of 1: the functions that were not handed in."""
    rest = np.maximum(0.0, 1.0 - values.sum(axis=1, keepdims=True))
    return np.concatenate((values, rest), axis=1)
