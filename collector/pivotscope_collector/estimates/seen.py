"""What windows saw of functions in pools, by mode: what CPU is split by.

Arrays of functions are (pools, functions), numbers of pools (pools, 1).
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import SUMS, Bounded
from pivotscope_collector.estimates.pool import PoolSums
from pivotscope_collector.estimates.share import Vector, Whole, quotient, ratios, shares

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ModeSums:
    """Sums of pools in one mode, see PoolSums; `runnable_ns` is what samples can see of the complete windows."""

    windows: Vector
    samples: Vector
    x: Vector
    xx: Vector
    runnable_ns: Vector
    delay_ns: Vector
    looked_ns: Vector

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
                row.looked_ns,
            )
            for row in rows
        ]
        return cls(*np.array(values, np.float64).reshape(len(rows), -1, 1).swapaxes(0, 1))

    @property
    def whole(self) -> Whole:
        """All functions, as shares are taken of them."""
        return Whole(self.x, self.xx, self.windows)

    @property
    def visible_ns(self) -> Vector:
        """What samples can see, or have seen where nothing else tells."""
        return np.where(self.runnable_ns > 0.0, self.runnable_ns, self.x)

    @property
    def grain(self) -> Vector:
        """What a sample stands for, as a part of what samples can see; 1 without a sample."""
        return quotient(self.x, self.samples * self.visible_ns, 1.0)


@dataclass(frozen=True, slots=True)
class ModeFunctions:
    """Functions in one mode: `sums[i]` is SUMS[i] of each function of each pool; `there` says which were seen."""

    sums: NDArray[np.float64]
    there: NDArray[np.bool_]

    def at(self, rows: Rows) -> "ModeFunctions":
        """Some of them."""
        return ModeFunctions(self.sums[:, :, rows], self.there[:, rows])


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

    def at(self, rows: Rows) -> "Seen":
        """Some of the functions."""
        found = {mode: functions.at(rows) for mode, functions in self.functions.items()}
        return replace(self, functions=found, shape=(self.shape[0], len(rows)))

    def ratios(self, mode: Mode, *, total: bool) -> Vector:
        """The shares of the functions in one mode."""
        return ratios(self.sums(mode, "total_y" if total else "self_y"), self.modes[mode].whole)

    def shares(self, mode: Mode, *, total: bool) -> Bounded:
        """The shares of the functions in one mode, with their intervals."""
        name = "total" if total else "self"
        y, yy, xy = (self.sums(mode, f"{name}_{kind}") for kind in ("y", "yy", "xy"))
        return Bounded(*shares(y, yy, xy, self.modes[mode].whole))

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


def base_mode(modes: Container[Mode]) -> Mode:
    """The mode whose shares split the CPU of a pool, of those that have samples."""
    return next((mode for mode in (Mode.GIL, Mode.ACTIVE, Mode.NATIVE) if mode in modes), Mode.NONE)
