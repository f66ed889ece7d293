"""CPU of the functions that stand for an arm, from samples."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.share import Moments, ratio, standard_error
from pivotscope_collector.impact.arm import FloatArray, Grid, ProcessCpu, SubtreeCpu
from pivotscope_collector.impact.question import Columns

SHOWN = 2.576
"""Standard errors by which active windows must exceed gil windows: p = .01."""


@dataclass(frozen=True, slots=True, eq=False)
class _Modes:
    """What the windows of one mode say: moments in all, what samples can see, samples, and x and y a block.

    Samples can see `runnable_ns`: CPU, and the time that preempted threads waited for a processor.
    """

    moments: Moments
    runnable_ns: float
    samples: int
    x: FloatArray
    y: FloatArray

    @property
    def variance(self) -> float:
        """Of ln(share), clustered by window."""
        share = ratio(self.moments)
        return (standard_error(self.moments) / share) ** 2 if share > 0 and self.moments.clusters > 1 else 0.0


def subtree_cpu(names: tuple[str, ...], columns: Columns, pool: ProcessCpu | None, grid: Grid) -> SubtreeCpu | None:
    """Share of samples beneath the functions × CPU of their pool, block by block; None where nothing was sampled.

    Gil windows split the CPU spent under the interpreter lock (`held`, as in `estimates.split`). Native code that lets
    go of the lock is seen by active windows alone: where these show more of the subtree than gil windows do (p < .01),
    the factor between both is `outside`, so that moved CPU does not look saved.
    """
    gil, active = _mode(columns, Mode.GIL, grid), _mode(columns, Mode.ACTIVE, grid)
    main, mode = (gil, Mode.GIL) if gil is not None else (active, Mode.ACTIVE)
    if main is None or pool is None:
        return None
    held = min(1.0, main.moments.x / main.runnable_ns) if mode is Mode.GIL and main.runnable_ns > 0 else 1.0
    sampled = main.x > 0
    seconds = np.full(grid.count, np.nan)
    seconds[sampled] = main.y[sampled] / main.x[sampled] * held * pool.seconds[sampled]
    outside, variance = (1.0, 0.0)
    if mode is Mode.GIL and active is not None:
        outside, variance = _outside(main, active, held)
    return SubtreeCpu(
        functions=names,
        seconds=seconds,
        samples=main.samples,
        sampling_variance=main.variance,
        mode=mode.value,
        outside=outside,
        outside_variance=variance,
    )


def _outside(gil: _Modes, active: _Modes, held: float) -> tuple[float, float]:
    under, seen = held * ratio(gil.moments), ratio(active.moments)
    if under <= 0 or seen <= under:
        return 1.0, 0.0
    error = sqrt(seen**2 * active.variance + under**2 * gil.variance)
    if active.moments.clusters < 2 or seen - under < SHOWN * error:
        return 1.0, 0.0
    return seen / under, active.variance + gil.variance


def _mode(columns: Columns, mode: Mode, grid: Grid) -> _Modes | None:
    rows = [i for i, name in enumerate(columns["mode"]) if name == mode.value]
    numbers = {
        name: np.array([columns[name][i] for i in rows], dtype=np.float64)
        for name in ("block", "windows", "samples", "cpu_ns", "delay_ns", "y", "x", "yy", "xy", "xx")
    }
    if not rows or numbers["x"].sum() <= 0:
        return None
    x, y = np.zeros(grid.count), np.zeros(grid.count)
    block = numbers["block"].astype(np.intp)
    inside = (block >= 0) & (block < grid.count)
    np.add.at(x, block[inside], numbers["x"][inside])
    np.add.at(y, block[inside], numbers["y"][inside])
    sums = {name: float(values.sum()) for name, values in numbers.items()}
    moments = Moments(sums["y"], sums["x"], sums["yy"], sums["xy"], sums["xx"], int(sums["windows"]))
    runnable = sums["cpu_ns"] + sums["delay_ns"] if sums["cpu_ns"] > 0.0 else 0.0
    return _Modes(moments, runnable, int(sums["samples"]), x, y)
