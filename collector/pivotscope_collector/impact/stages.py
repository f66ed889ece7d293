"""Stages of a rollout, seen in the share of traffic that B gets."""

from math import log

import numpy as np

from pivotscope_collector.impact.arm import FloatArray

LEAST_CHANGE = 0.05
LEAST_BLOCKS = 2


def find_stages(a: FloatArray, b: FloatArray) -> tuple[int, ...]:
    """Indices of blocks at which B's share of the requests steps, ascending.

    Binary segmentation on the quasi-binomial likelihood; a step is taken where it moves the share by at least five
    points and gains more than 3 ln(n) after division by the dispersion about the finer split (the price of searching).
    """
    n = np.nan_to_num(a) + np.nan_to_num(b)
    y = np.nan_to_num(b)
    found: list[int] = []
    pending = [(0, int(n.size))]
    while pending:
        first, last = pending.pop()
        cut = _best(y[first:last], n[first:last])
        if cut is not None:
            found.append(first + cut)
            pending += [(first, first + cut), (first + cut, last)]
    return tuple(sorted(found))


def _best(y: FloatArray, n: FloatArray) -> int | None:
    size = int(n.size)
    if size < 2 * LEAST_BLOCKS or n.sum() <= 0:
        return None
    ys, ns = y.cumsum(), n.cumsum()
    best: tuple[float, int] | None = None
    whole = _likelihood(float(ys[-1]), float(ns[-1]))
    for cut in range(LEAST_BLOCKS, size - LEAST_BLOCKS + 1):
        left_y, left_n = float(ys[cut - 1]), float(ns[cut - 1])
        right_y, right_n = float(ys[-1]) - left_y, float(ns[-1]) - left_n
        if min(left_n, right_n) <= 0 or abs(left_y / left_n - right_y / right_n) < LEAST_CHANGE:
            continue
        gain = _likelihood(left_y, left_n) + _likelihood(right_y, right_n) - whole
        if best is None or gain > best[0]:
            best = gain, cut
    if best is None:
        return None
    gain, cut = best
    dispersion = _dispersion(y, n, cut)
    return cut if gain / dispersion > 3 * log(max(size, 3)) else None


def _likelihood(y: float, n: float) -> float:
    if y <= 0 or y >= n:
        return 0.0
    p = y / n
    return y * log(p) + (n - y) * log(1 - p)


def _dispersion(y: FloatArray, n: FloatArray, cut: int) -> float:
    chi, free = 0.0, 0
    for part in (slice(None, cut), slice(cut, None)):
        here = n[part] > 0
        total, seen = n[part][here], y[part][here]
        p = float(seen.sum() / total.sum())
        if 0 < p < 1:
            chi += float(((seen - total * p) ** 2 / (total * p * (1 - p))).sum())
            free += int(total.size) - 1
    return max(1.0, chi / free) if free > 0 else 1.0
