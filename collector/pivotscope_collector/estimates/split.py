"""The split of pools' attributed CPU over their functions.

Arrays of functions are (pools, functions), numbers of pools (pools, 1): one pool with thousands of functions and one
function in hundreds of steps are the same few vector operations.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import SUMS, Bounded
from pivotscope_collector.estimates.outside import Rates, split_self, split_total
from pivotscope_collector.estimates.pool import PoolSums
from pivotscope_collector.estimates.share import Vector, Whole, shares

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
class ModeSums:
    """Sums of pools in one mode, see PoolSums; `runnable_ns` is what samples can see of the complete windows."""

    windows: Vector
    samples: Vector
    x: Vector
    xx: Vector
    runnable_ns: Vector
    delay_ns: Vector

    @classmethod
    def of(cls, rows: Sequence[PoolSums]) -> "ModeSums":
        """A row of each pool."""
        values = [
            (
                row.windows,
                row.samples,
                row.x,
                row.xx,
                row.runnable_ns,
                row.complete_delay_ns,
            )
            for row in rows
        ]
        return cls(*np.array(values, np.float64).reshape(len(rows), -1, 1).swapaxes(0, 1))

    @property
    def visible_ns(self) -> Vector:
        """What samples can see, or have seen where nothing else tells."""
        return np.where(self.runnable_ns > 0.0, self.runnable_ns, self.x)


@dataclass(frozen=True, slots=True)
class ModeFunctions:
    """Functions in one mode: `sums[i]` is SUMS[i] of each function of each pool; `there` says which were seen."""

    sums: NDArray[np.float64]
    there: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was seen of pools of one language that have samples of the same modes, by mode.

    `base` is the mode whose shares split the CPU. Modes may have seen none of the functions.
    """

    language: Language
    attributed: Vector
    modes: Mapping[Mode, ModeSums]
    functions: Mapping[Mode, ModeFunctions]
    shape: tuple[int, int]

    @property
    def base(self) -> Mode:
        """The mode whose shares split the CPU."""
        return base_mode(self.modes)

    def sums(self, mode: Mode, name: str) -> Vector:
        """A field of FunctionSums of each function in one mode, zeros where it did not see one."""
        found = self.functions.get(mode)
        values: Vector = np.zeros(self.shape) if found is None else found.sums[SUMS.index(name)]
        return values

    def shares(self, mode: Mode, *, total: bool) -> Bounded:
        """The shares of the functions in one mode, with their intervals."""
        sums, name = self.modes[mode], "total" if total else "self"
        y, yy, xy = (self.sums(mode, f"{name}_{kind}") for kind in ("y", "yy", "xy"))
        return Bounded(*shares(y, yy, xy, Whole(sums.x, sums.xx, sums.windows)))

    def native(self, *, total: bool) -> tuple[Vector, Vector, NDArray[np.bool_]]:
        """The part of each function's samples in native code, out of how many, and whether anything could tell."""
        name = "total" if total else "self"
        modes = (Mode.NATIVE, self.base) if self.language is Language.RUBY else (Mode.NATIVE,)
        known = np.zeros(self.shape, np.bool_)
        part, whole = np.zeros(self.shape), np.zeros(self.shape)
        for mode in (mode for mode in modes if mode in self.functions):
            new = self.functions[mode].there & ~known
            part = np.where(new, self.sums(mode, f"{name}_native"), part)
            whole = np.where(new, self.sums(mode, f"{name}_samples"), whole)
            known |= new
        return np.minimum(1.0, part / np.maximum(whole, 1.0)), whole, known


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


def base_mode(modes: Container[Mode]) -> Mode:
    """The mode whose shares split the CPU of a pool, of those that have samples."""
    return next((mode for mode in (Mode.GIL, Mode.ACTIVE, Mode.NATIVE) if mode in modes), Mode.NONE)


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
    """CPU of every function seen in pools.

    With gil windows their shares split the held part, and what active windows see beyond them splits the rest, which
    counts as native. Without, the active (else the native) windows split everything.
    """
    own_share, total_share = seen.shares(seen.base, total=False), seen.shares(seen.base, total=True)
    if seen.base is Mode.GIL:
        own, total = _with_outside(seen, own_share, total_share)
    else:
        nothing, all_of_it = np.zeros(seen.shape), np.ones_like(seen.attributed)
        none = Bounded(nothing, nothing, nothing)
        own, total = (Quantity(one, none, all_of_it, all_of_it, all_of_it) for one in (own_share, total_share))
    return _combine(seen, own, total)


def _with_outside(seen: Seen, own_share: Bounded, total_share: Bounded) -> tuple[Quantity, Quantity]:
    gil = seen.modes[Mode.GIL]
    held = held_fraction(gil)
    active = seen.modes.get(Mode.ACTIVE)
    held_low, held_high = held_bounds(gil, active)
    scale = active.x / active.visible_ns if active else held
    own_active = seen.shares(Mode.ACTIVE, total=False) if active else own_share
    total_active = seen.shares(Mode.ACTIVE, total=True) if active else total_share
    cpu = (active or gil).visible_ns, gil.visible_ns
    own_rates = Rates(_closed(own_active.estimate) * scale, _closed(own_share.estimate) * held, *cpu)
    total_rates = Rates(total_active.estimate * scale, total_share.estimate * held, *cpu)
    outside = 1.0 - held
    own_outside = split_self(own_rates, outside)[:, :-1]
    total_outside = split_total(total_rates, own_rates, own_outside, outside)
    whole = np.maximum(0.0, own_rates.excess).sum(axis=1, keepdims=True)

    def quantity(under: Bounded, beyond: Bounded, part: Vector) -> Quantity:
        if active is None:
            return Quantity(under, Bounded(part, np.zeros_like(part), np.zeros_like(part) + outside), *bounds)
        error = _hypot((beyond.high - beyond.low) * scale, (under.high - under.low) * held) / 2.0
        excess = np.maximum(0.0, beyond.estimate * scale - under.estimate * held)
        low = np.maximum(0.0, np.minimum(part, outside - (whole - excess)) - error)
        high = np.minimum(1.0 - held_low, np.maximum(part, excess) + error)
        return Quantity(under, Bounded(part, low, np.maximum(part, high)), *bounds)

    bounds = held, held_low, held_high
    return quantity(own_share, own_active, own_outside), quantity(total_share, total_active, total_outside)


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
