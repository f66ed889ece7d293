"""Which blocks of two arms are held against each other, and in which strata."""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from pivotscope_collector.impact.arm import Arm, FloatArray

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """Blocks of A and of B, in time order, and the stratum of each.

    Paired: `a` and `b` are of equal length and a[i], b[i] are the same stretch of time, so that what moves both arms
    cancels out. Unpaired: each arm stands for itself, one stratum each, and the comparison is observational.
    """

    paired: bool
    a: Indices
    b: Indices
    strata_a: Indices
    strata_b: Indices
    left_out: int = 0

    def keep(self, good_a: NDArray[np.bool_], good_b: NDArray[np.bool_]) -> "Pairing":
        """The pairing of those blocks in which a metric was observed (in both arms, where paired)."""
        keep_a, keep_b = good_a[self.a], good_b[self.b]
        if self.paired:
            keep_a = keep_b = keep_a & keep_b
        return self._only(keep_a, keep_b)

    def usable(self, denominator_a: FloatArray, denominator_b: FloatArray) -> "Pairing":
        """The pairing of strata in which both arms have a positive denominator and at least two blocks."""
        if not self.paired:
            return self
        keep = np.zeros(self.a.size, dtype=np.bool_)
        for stratum in np.unique(self.strata_a):
            here = self.strata_a == stratum
            sums = denominator_a[self.a[here]].sum(), denominator_b[self.b[here]].sum()
            keep[here] = min(sums) > 0 and int(here.sum()) >= 2
        return self._only(keep, keep)

    def _only(self, keep_a: NDArray[np.bool_], keep_b: NDArray[np.bool_]) -> "Pairing":
        return replace(
            self,
            a=self.a[keep_a],
            b=self.b[keep_b],
            strata_a=self.strata_a[keep_a],
            strata_b=self.strata_b[keep_b],
        )


def pair(a: Arm, b: Arm, boundaries_ns: tuple[int, ...] = ()) -> Pairing:
    """Pair blocks in which both arms had requests; arms that never had any at the same time stay unpaired.

    `boundaries_ns` separate the stages of a rollout: each stage is a stratum of its own, and strata are never pooled
    as if they were one.
    """
    busy_a, busy_b = _busy(a), _busy(b)
    overlap = _overlap(a, b)
    if overlap is not None:
        index_a, index_b = overlap
        both = busy_a[index_a] & busy_b[index_b]
        if both.sum() >= _enough(int(min(busy_a.sum(), busy_b.sum()))):
            index_a, index_b = index_a[both], index_b[both]
            middle = a.grid.start_ns + index_a * a.grid.block_ns + a.grid.block_ns // 2
            strata = np.searchsorted(np.asarray(sorted(boundaries_ns), dtype=np.int64), middle, side="right")
            left_out = int(busy_a.sum()) - index_a.size + int(busy_b.sum()) - index_b.size
            return Pairing(
                paired=True,
                a=index_a,
                b=index_b,
                strata_a=strata,
                strata_b=strata,
                left_out=left_out,
            )
    index_a, index_b = _while_it_ran(busy_a), _while_it_ran(busy_b)
    return Pairing(
        paired=False,
        a=index_a,
        b=index_b,
        strata_a=np.zeros_like(index_a),
        strata_b=np.zeros_like(index_b),
    )


def _enough(blocks: int) -> int:
    """Common blocks that make a concurrent comparison: a fifth of the shorter arm, at most eight.

    Two versions that met only while a release rolled out are before and after, not side by side.
    """
    return max(1, min(8, ceil(blocks / 5)))


def _while_it_ran(busy: NDArray[np.bool_]) -> Indices:
    """From the first block with requests to the last one; before and after, the arm was not there."""
    found = np.flatnonzero(busy)
    return np.arange(found[0], found[-1] + 1) if found.size else np.arange(busy.size)


def _busy(arm: Arm) -> NDArray[np.bool_]:
    requests = arm.requests()
    if requests is None:
        return np.ones(arm.grid.count, dtype=np.bool_)
    return np.nan_to_num(requests) > 0


def _overlap(a: Arm, b: Arm) -> tuple[Indices, Indices] | None:
    if a.grid.block_ns != b.grid.block_ns or (b.grid.start_ns - a.grid.start_ns) % a.grid.block_ns:
        return None
    shift = (b.grid.start_ns - a.grid.start_ns) // a.grid.block_ns
    first, last = max(0, shift), min(a.grid.count, b.grid.count + shift)
    if last <= first:
        return None
    index = np.arange(first, last)
    return index, index - shift
