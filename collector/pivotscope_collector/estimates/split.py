"""The split of one pool's attributed CPU over its functions."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.outside import Rates, Vector, split_self, split_total
from pivotscope_collector.estimates.pool import FunctionCpu, FunctionSums, Pool, PoolSums
from pivotscope_collector.estimates.share import Interval, Moments, Share, share, share_from_interval

Z = 1.96
DELAY_ERROR = 0.5
"""How far, as a part of it, the measured delay may be from what the lock's holders waited: a bound of what was seen."""
NOTHING = Share(0.0, 0.0, 0.0, 0.0, 0)


@dataclass(frozen=True, slots=True)
class Quantity:
    """Self or total of a function in parts of the pool's CPU: `under` the lock × `held`, and `outside`.

    `outside` and `held` have their 95 % bounds. Where there is no lock to see, everything is `under`.
    """

    under: Share
    held: float = 1.0
    held_low: float = 1.0
    held_high: float = 1.0
    outside: float = 0.0
    outside_low: float = 0.0
    outside_high: float = 0.0

    @property
    def held_part(self) -> float:
        """What ran under the lock."""
        return self.under.estimate * self.held

    def interval(self, attributed: float) -> Interval:
        """Both parts in nanoseconds; their errors add in quadrature."""
        estimate = self.held_part + self.outside
        share = self.under
        less, more = (share.estimate * (self.held - self.held_low), share.estimate * (self.held_high - self.held))
        low = hypot((share.estimate - share.low) * self.held, less, self.outside - self.outside_low)
        high = hypot((share.high - share.estimate) * self.held, more, self.outside_high - self.outside)
        return Interval(estimate, max(0.0, estimate - low), min(1.0, estimate + high)).scaled(attributed)


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was seen of one pool: sums and functions by mode, modes with samples only.

    `base` is the mode whose shares split the CPU.
    """

    pool: Pool
    attributed: float
    modes: Mapping[Mode, PoolSums]
    rows: Mapping[Mode, Mapping[int, FunctionSums]]
    base: Mode

    def row(self, mode: Mode, key: int) -> FunctionSums | None:
        """A function in one mode."""
        return self.rows[mode].get(key) if mode in self.rows else None

    def share(self, mode: Mode, key: int, *, total: bool) -> Share:
        """The share of a function in one mode, with its interval."""
        row, sums = self.row(mode, key), self.modes[mode]
        if row is None:
            return share(Moments(0.0, sums.x, 0.0, 0.0, sums.xx, sums.windows))
        if total:
            return share(Moments(row.total_y, sums.x, row.total_yy, row.total_xy, sums.xx, sums.windows))
        return share(Moments(row.self_y, sums.x, row.self_yy, row.self_xy, sums.xx, sums.windows))

    def native(self, key: int, *, total: bool) -> tuple[float, int] | None:
        """The part of a function's samples in native code, and out of how many; None where nothing could tell."""
        row = self.row(Mode.NATIVE, key)
        if row is None and self.pool.language is Language.RUBY:
            row = self.row(self.base, key)
        if row is None:
            return None
        part, whole = (row.total_native, row.total_samples) if total else (row.self_native, row.self_samples)
        return (min(1.0, part / whole), whole) if whole else (0.0, 0)


def base_mode(modes: Container[Mode]) -> Mode:
    """The mode whose shares split the CPU of a pool, of those that have samples."""
    return next((mode for mode in (Mode.GIL, Mode.ACTIVE, Mode.NATIVE) if mode in modes), Mode.NONE)


def held_fraction(gil: PoolSums) -> float:
    """The part of CPU that holds the interpreter lock, at most 1: time sampled with `gil` ÷ what samples can see.

    A thread that was preempted holds the lock while it waits for a processor, and samples see it run. Waiting stretches
    CPU under the lock and outside it alike: both are multiplied by 1 + delay ÷ CPU, which is divided out again.
    """
    return min(1.0, gil.x / gil.runnable_ns) if gil.runnable_ns > 0.0 else 1.0


def held_bounds(gil: PoolSums, active: PoolSums | None) -> tuple[float, float]:
    """95 % bounds of the held fraction: of counting samples, and of the delay, which is known to within a part.

    A fraction above 1 says for certain that more waited than was measured; then the truth may be as low as gil ÷ active
    time, which is exact but for sleepers.
    """
    held = held_fraction(gil)
    if gil.runnable_ns <= 0.0:
        return max(0.0, held - (Z * held / sqrt(gil.samples) if gil.samples else held)), 1.0
    seen, unsure = gil.x / gil.runnable_ns, DELAY_ERROR * gil.complete_delay_ns / gil.runnable_ns
    error = Z / sqrt(gil.samples) if gil.samples else 1.0
    low = held - held * hypot(error, unsure / (1.0 + unsure))
    if active is not None and seen > 1.0:
        low = min(low, seen / (active.x / (active.runnable_ns or active.x)))
    return max(0.0, low), min(1.0, held + held * hypot(error, unsure / (1.0 - unsure)))


def split(seen: Seen) -> list[FunctionCpu]:
    """CPU of every function seen in a pool.

    With gil windows their shares split the held part, and what active windows see beyond them splits the rest, which
    counts as native. Without, the active (else the native) windows split everything.
    """
    ids = sorted({key for mode in seen.modes for key in seen.rows.get(mode, {})})
    shares = [(seen.share(seen.base, key, total=False), seen.share(seen.base, key, total=True)) for key in ids]
    if seen.base is not Mode.GIL:
        quantities = [(Quantity(own), Quantity(total)) for own, total in shares]
    else:
        quantities = _with_outside(seen, ids, shares)
    return [_function(seen, key, own, total) for key, (own, total) in zip(ids, quantities, strict=True)]


def _with_outside(seen: Seen, ids: list[int], shares: list[tuple[Share, Share]]) -> list[tuple[Quantity, Quantity]]:
    gil = seen.modes[Mode.GIL]
    held = held_fraction(gil)
    gil_own = _closed([own.estimate for own, _ in shares]) * held
    gil_total = _vector([total.estimate for _, total in shares]) * held
    active = seen.modes.get(Mode.ACTIVE)
    held_low, held_high = held_bounds(gil, active)
    scale = active.x / (active.runnable_ns or active.x) if active else held
    active_shares = (
        [(seen.share(Mode.ACTIVE, key, total=False), seen.share(Mode.ACTIVE, key, total=True)) for key in ids]
        if active
        else shares
    )
    cpu = (active or gil).runnable_ns or (active or gil).x, gil.runnable_ns or gil.x
    own_rates = Rates(_closed([own.estimate for own, _ in active_shares]) * scale, gil_own, *cpu)
    total_rates = Rates(_vector([total.estimate for _, total in active_shares]) * scale, gil_total, *cpu)
    outside = 1.0 - held
    own_outside = split_self(own_rates, outside)
    total_outside = split_total(total_rates, own_rates, own_outside[:-1], outside)
    whole = float(np.maximum(0.0, own_rates.excess).sum())

    def quantity(under: Share, beyond: Share, part: float) -> Quantity:
        if active is None:
            return Quantity(under, held, held_low, held_high, part, 0.0, outside)
        error = hypot((beyond.high - beyond.low) * scale, (under.high - under.low) * held) / 2.0
        excess = max(0.0, beyond.estimate * scale - under.estimate * held)
        low = max(0.0, min(part, outside - (whole - excess)) - error)
        high = min(1.0 - held_low, max(part, excess) + error)
        return Quantity(under, held, held_low, held_high, part, low, max(part, high))

    return [
        (
            quantity(own, active_shares[i][0], float(own_outside[i])),
            quantity(total, active_shares[i][1], float(total_outside[i])),
        )
        for i, (own, total) in enumerate(shares)
    ]


def _function(seen: Seen, key: int, own: Quantity, total: Quantity) -> FunctionCpu:
    attributed = seen.attributed
    own_ns = own.interval(attributed)
    total_ns = _at_least(total.interval(attributed), own_ns)
    own_native, total_native = seen.native(key, total=False), seen.native(key, total=True)
    part, of = total_native or (0.0, 0)
    native = (total.held_part * part + total.outside) * attributed
    count_error = Z * sqrt(part * (1.0 - part) / of) * total.held_part if of else 0.0
    low = native - hypot(count_error, total.outside - total.outside_low) * attributed
    high = native + hypot(count_error, total.outside_high - total.outside) * attributed
    base = seen.row(seen.base, key)
    clusters = seen.modes[seen.base].windows
    return FunctionCpu(
        pool=seen.pool,
        function=key,
        samples=base.total_samples if base else 0,
        self_ns=own_ns,
        total_ns=total_ns,
        native_ns=Interval(native, max(0.0, low), max(native, min(total_ns.high, high))),
        self_native_ns=(own.held_part * (own_native[0] if own_native else 0.0) + own.outside) * attributed,
        native_known=total_native is not None,
        self_share=_share(own_ns, attributed, clusters),
        total_share=_share(total_ns, attributed, clusters),
    )


def _share(cpu: Interval, attributed: float, clusters: int) -> Share:
    if attributed <= 0.0:
        return share_from_interval(0.0, 0.0, 1.0, clusters)
    return share_from_interval(cpu.estimate / attributed, cpu.low / attributed, cpu.high / attributed, clusters)


def _at_least(interval: Interval, floor: Interval) -> Interval:
    return Interval(
        max(interval.estimate, floor.estimate), max(interval.low, floor.low), max(interval.high, floor.high)
    )


def _vector(values: list[float]) -> Vector:
    return np.array(values, dtype=np.float64)


def _closed(values: list[float]) -> Vector:
    """The values and what they leave of 1: the functions that were not handed in."""
    return _vector([*values, max(0.0, 1.0 - sum(values))])
