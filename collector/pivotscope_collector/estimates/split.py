"""The split of one pool's attributed CPU over its functions."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import COUNTS, Bounded, FunctionColumns, Ids
from pivotscope_collector.estimates.outside import Rates, split_self, split_total
from pivotscope_collector.estimates.pool import FunctionCpu, Pool, PoolSums
from pivotscope_collector.estimates.share import Interval, Moments, Share, Vector, share_from_interval, shares

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
    held: float = 1.0
    held_low: float = 1.0
    held_high: float = 1.0

    @property
    def held_part(self) -> Vector:
        """What ran under the lock."""
        return self.under.estimate * self.held

    def intervals(self, attributed: float) -> Bounded:
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
class Seen:
    """Everything that was seen of one pool: sums and functions by mode, modes with samples only.

    `ids` are all functions, ascending; `rows` is what each mode saw of some of them. `base` is the mode whose shares
    split the CPU.
    """

    pool: Pool
    attributed: float
    modes: Mapping[Mode, PoolSums]
    ids: Ids
    rows: Mapping[Mode, FunctionColumns]
    base: Mode

    def row(self, mode: Mode) -> FunctionColumns:
        """All functions in one mode, zeros where it did not see one."""
        return self.rows[mode].along(self.ids) if mode in self.rows else FunctionColumns(self.ids, self.nothing())

    def nothing(self) -> NDArray[np.float64]:
        """Sums of functions that were not seen."""
        return np.zeros((COUNTS, len(self.ids)))

    def shares(self, mode: Mode, *, total: bool) -> Bounded:
        """The shares of the functions in one mode, with their intervals."""
        row, sums = self.row(mode), self.modes[mode]
        name = "total" if total else "self"
        whole = Moments(0.0, sums.x, 0.0, 0.0, sums.xx, sums.windows)
        return Bounded(*shares(row[f"{name}_y"], row[f"{name}_yy"], row[f"{name}_xy"], whole))

    def native(self, *, total: bool) -> tuple[Vector, Vector, NDArray[np.bool_]]:
        """The part of each function's samples in native code, out of how many, and whether anything could tell."""
        name = "total" if total else "self"
        modes = (Mode.NATIVE, self.base) if self.pool.language is Language.RUBY else (Mode.NATIVE,)
        known = np.zeros(len(self.ids), np.bool_)
        part, whole = np.zeros(len(self.ids)), np.zeros(len(self.ids))
        for mode in (mode for mode in modes if mode in self.rows):
            row, new = self.row(mode), self.rows[mode].has(self.ids) & ~known
            part[new], whole[new] = row[f"{name}_native"][new], row[f"{name}_samples"][new]
            known |= new
        return np.minimum(1.0, part / np.maximum(whole, 1.0)), whole, known


@dataclass(frozen=True, slots=True)
class Split:
    """CPU of every function of a pool, in nanoseconds, as columns; `function` makes a value of one of them."""

    pool: Pool
    attributed: float
    clusters: int
    ids: Ids
    samples: Vector
    self_ns: Bounded
    total_ns: Bounded
    native_ns: Bounded
    self_native_ns: Vector
    native_known: NDArray[np.bool_]

    def function(self, row: int) -> FunctionCpu:
        """The function in a row."""
        own, total = self.self_ns.at(row), self.total_ns.at(row)
        return FunctionCpu(
            pool=self.pool,
            function=int(self.ids[row]),
            samples=int(self.samples[row]),
            self_ns=own,
            total_ns=total,
            native_ns=self.native_ns.at(row),
            self_native_ns=float(self.self_native_ns[row]),
            native_known=bool(self.native_known[row]),
            self_share=_share(own, self.attributed, self.clusters),
            total_share=_share(total, self.attributed, self.clusters),
        )


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


def split(seen: Seen) -> Split:
    """CPU of every function seen in a pool.

    With gil windows their shares split the held part, and what active windows see beyond them splits the rest, which
    counts as native. Without, the active (else the native) windows split everything.
    """
    own_share, total_share = seen.shares(seen.base, total=False), seen.shares(seen.base, total=True)
    if seen.base is Mode.GIL:
        own, total = _with_outside(seen, own_share, total_share)
    else:
        nothing = np.zeros(len(seen.ids))
        none = Bounded(nothing, nothing, nothing)
        own, total = Quantity(own_share, none), Quantity(total_share, none)
    return _combine(seen, own, total)


def _with_outside(seen: Seen, own_share: Bounded, total_share: Bounded) -> tuple[Quantity, Quantity]:
    gil = seen.modes[Mode.GIL]
    held = held_fraction(gil)
    active = seen.modes.get(Mode.ACTIVE)
    held_low, held_high = held_bounds(gil, active)
    scale = active.x / (active.runnable_ns or active.x) if active else held
    own_active = seen.shares(Mode.ACTIVE, total=False) if active else own_share
    total_active = seen.shares(Mode.ACTIVE, total=True) if active else total_share
    cpu = (active or gil).runnable_ns or (active or gil).x, gil.runnable_ns or gil.x
    own_rates = Rates(_closed(own_active.estimate) * scale, _closed(own_share.estimate) * held, *cpu)
    total_rates = Rates(total_active.estimate * scale, total_share.estimate * held, *cpu)
    outside = 1.0 - held
    own_outside = split_self(own_rates, outside)
    total_outside = split_total(total_rates, own_rates, own_outside[:-1], outside)
    whole = float(np.maximum(0.0, own_rates.excess).sum())

    def quantity(under: Bounded, beyond: Bounded, part: Vector) -> Quantity:
        if active is None:
            return Quantity(under, Bounded(part, np.zeros_like(part), np.full_like(part, outside)), *bounds)
        error = _hypot((beyond.high - beyond.low) * scale, (under.high - under.low) * held) / 2.0
        excess = np.maximum(0.0, beyond.estimate * scale - under.estimate * held)
        low = np.maximum(0.0, np.minimum(part, outside - (whole - excess)) - error)
        high = np.minimum(1.0 - held_low, np.maximum(part, excess) + error)
        return Quantity(under, Bounded(part, low, np.maximum(part, high)), *bounds)

    bounds = held, held_low, held_high
    return quantity(own_share, own_active, own_outside[:-1]), quantity(total_share, total_active, total_outside)


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
        pool=seen.pool,
        attributed=attributed,
        clusters=seen.modes[seen.base].windows,
        ids=seen.ids,
        samples=seen.row(seen.base)["total_samples"],
        self_ns=own_ns,
        total_ns=total_ns,
        native_ns=Bounded(native, np.maximum(0.0, low), np.maximum(native, np.minimum(total_ns.high, high))),
        self_native_ns=(own.held_part * own_part + own.outside.estimate) * attributed,
        native_known=known,
    )


def _share(cpu: Interval, attributed: float, clusters: int) -> Share:
    if attributed <= 0.0:
        return share_from_interval(0.0, 0.0, 1.0, clusters)
    return share_from_interval(cpu.estimate / attributed, cpu.low / attributed, cpu.high / attributed, clusters)


def _hypot(*parts: Vector) -> Vector:
    return np.sqrt(sum(part * part for part in parts))


def _closed(values: Vector) -> Vector:
    """The values and what they leave of 1: the functions that were not handed in."""
    return np.append(values, max(0.0, 1.0 - float(values.sum())))
