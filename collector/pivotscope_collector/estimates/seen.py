"""What windows saw of functions in pools, by mode: what CPU is split by.

Arrays of functions are (pools, functions), numbers of pools (pools, 1).
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import COUNTS, SUMS, Bounded, FunctionColumns, Ids, find, places
from pivotscope_collector.estimates.pool import PoolSums
from pivotscope_collector.estimates.share import Vector, Whole, quotient, ratios, shares

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]


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


class ModeFunctions(Protocol):
    """Functions of pools in one mode."""

    @property
    def there(self) -> Flags:
        """Which of them were seen."""
        ...

    def __getitem__(self, name: str) -> Vector:
        """A field of FunctionSums of each; 0 where one was not seen."""
        ...

    def at(self, rows: Rows) -> "Dense":
        """Some of them."""
        ...


@dataclass(frozen=True, slots=True)
class Dense:
    """All sums of functions: `sums[i]` is SUMS[i] of each function of each pool."""

    sums: NDArray[np.float64]
    there: Flags

    def __getitem__(self, name: str) -> Vector:
        """A field of FunctionSums."""
        column: Vector = self.sums[SUMS.index(name)]
        return column

    def at(self, rows: Rows) -> "Dense":
        """Some of them."""
        return Dense(self.sums[:, :, rows], self.there[:, rows])


@dataclass(frozen=True, slots=True)
class InParts:
    """Functions that are summed when they are asked for: estimates need two sums of all, intervals all sums of a few.

    `parts` add up; each is of the pool in a row. `ids` ascend and hold those of every part.
    """

    ids: Ids
    pools: int
    parts: Sequence[tuple[int, FunctionColumns]]

    @property
    def there(self) -> Flags:
        """Which of them were seen."""
        found = np.zeros((self.pools, len(self.ids)), np.bool_)
        for row, part in self.parts:
            found[row, places(self.ids, part.ids)] = True
        return found

    def __getitem__(self, name: str) -> Vector:
        """A field of FunctionSums."""
        summed = np.zeros((self.pools, len(self.ids)))
        for row, part in self.parts:
            summed[row, places(self.ids, part.ids)] += part[name]
        return summed

    def at(self, rows: Rows) -> Dense:
        """Some of them."""
        wanted = self.ids[rows]
        sums, there = np.zeros((COUNTS, self.pools, len(rows))), np.zeros((self.pools, len(rows)), np.bool_)
        for row, part in self.parts:
            place, known = find(part.ids, wanted)
            sums[:, row, known] += part.sums[:, place]
            there[row, known] = True
        return Dense(sums, there)


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
        return np.zeros(self.shape) if found is None else found[name]

    @property
    def there(self) -> Flags:
        """Which functions any mode has seen."""
        there: Flags = np.logical_or.reduce(
            [np.zeros(self.shape, np.bool_), *(found.there for found in self.functions.values())]
        )
        return there

    def at(self, rows: Rows) -> "Seen":
        """Some of the functions."""
        found = {mode: functions.at(rows) for mode, functions in self.functions.items()}
        return replace(self, functions=found, shape=(self.shape[0], len(rows)))

    def ratios(self, mode: Mode, *, total: bool) -> Vector:
        """The shares of the functions in one mode."""
        return ratios(self.sums(mode, "total_y" if total else "self_y"), self.modes[mode].whole)

    def shares(self, mode: Mode) -> Bounded:
        """The shares of the functions in one mode, self and total, with their intervals: (2, pools, functions)."""
        names = ("self", "total")
        y, yy, xy = (np.stack([self.sums(mode, f"{name}_{kind}") for name in names]) for kind in ("y", "yy", "xy"))
        return Bounded(*shares(y, yy, xy, self.modes[mode].whole))

    def native(self, *, total: bool) -> tuple[Vector, Vector, Flags]:
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
