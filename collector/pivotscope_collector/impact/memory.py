"""Memory: a property of processes, so processes are the units."""

import numpy as np

from pivotscope_collector.impact.arm import Arm
from pivotscope_collector.impact.effect import Effect, Refusal, Scale, linear_interval
from pivotscope_collector.impact.serial import Spread


def memory_difference(a: Arm, b: Arm, *, peak: bool = False) -> Effect | Refusal:
    """Mean (or peak) bytes a process, B minus A: Welch's t over processes; the ratio beside it."""
    shared = a.shared_process or b.shared_process
    if shared or {p.identity for p in a.memory} & {p.identity for p in b.memory}:
        return Refusal("shared process: both arms' code ran in the same process", comparable=False)
    if not a.memory or not b.memory:
        missing = "A" if not a.memory else "B"
        return Refusal(f"no process of arm {missing} was measured", comparable=False)
    values_a = np.array([p.peak_bytes if peak else p.mean_bytes for p in a.memory])
    values_b = np.array([p.peak_bytes if peak else p.mean_bytes for p in b.memory])
    if min(values_a.size, values_b.size) < 2:
        return Refusal("one process in an arm: how much processes vary is unknown", comparable=True)
    one, two = _spread(values_a), _spread(values_b)
    mean_a, mean_b = float(values_a.mean()), float(values_b.mean())
    both = one + two
    change = mean_b - mean_a
    ratio = mean_b / mean_a if mean_a > 0 else None
    scaled = None
    if ratio is not None:
        scaled = linear_interval(
            ratio, Spread(two.variance / mean_a**2, two.df) + Spread(one.variance * ratio**2 / mean_a**2, one.df)
        )
    return Effect(
        scale=Scale.DIFFERENCE,
        change=linear_interval(change, both),
        a=linear_interval(mean_a, one),
        b=linear_interval(mean_b, two),
        p_value=both.p_value(change),
        method=f"Welch's t over {values_a.size} and {values_b.size} processes",
        also=scaled,
    )


def _spread(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Spread:
    return Spread(float(values.var(ddof=1)) / values.size, values.size - 1.0)
