"""Quantiles of latency from bucketed histograms, which know a quantile only up to its bucket."""

from dataclasses import dataclass
from math import inf, isfinite, log, sqrt

import numpy as np
from numpy.typing import NDArray

from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.impact.arm import FloatArray, Histogram
from pivotscope_collector.impact.effect import Effect, Refusal, Scale
from pivotscope_collector.impact.pairing import Pairing
from pivotscope_collector.impact.ratios import ONE_BLOCK, describe, serial_note
from pivotscope_collector.impact.serial import NORMAL_QUANTILE, Spread, quantile, spread

REPLICATES = 1_000
SEED = 20_240_601


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One arm's buckets (blocks, buckets) with the stratum of each block and the weights of the strata."""

    buckets: FloatArray
    groups: tuple[NDArray[np.intp], ...]
    weights: FloatArray

    def cumulative(self) -> FloatArray:
        """F at each upper bound, standardised over strata; the last is 1."""
        return _standard(np.stack([self.buckets[g].sum(axis=0) for g in self.groups]), self.weights)

    def influence(self, bucket: int) -> FloatArray:
        """What each block contributes to the error of F at this bucket's upper bound."""
        below, counts = self.buckets[:, : bucket + 1].sum(axis=1), self.buckets.sum(axis=1)
        result = np.zeros(counts.size)
        for group, weight in zip(self.groups, self.weights, strict=True):
            total = counts[group].sum()
            result[group] = weight * (below[group] - below[group].sum() / total * counts[group]) / total
        return result


def quantile_ratio(a: Histogram, b: Histogram, pairing: Pairing, q: float) -> Effect | Refusal:
    """B's q-quantile ÷ A's. The interval holds both sampling error and the width of the buckets.

    Whole blocks are drawn again (the same ones for both arms where paired, within each stage), and each drawn
    quantile counts as anywhere in its bucket, so the bounds are lowest B ÷ highest A and the reverse. Deviations of
    the drawn distribution functions are widened by √(n ÷ (n − 1)), by serial correlation and by t ÷ z, which the
    plain bootstrap lacks. The estimate interpolates linearly within buckets.
    """
    if a.bounds != b.bounds:
        return Refusal(f"the buckets differ: A has {_bounds(a)}, B has {_bounds(b)}", comparable=False)
    kept = pairing.keep(np.isfinite(a.counts), np.isfinite(b.counts))
    counts_a, counts_b = np.nan_to_num(a.counts), np.nan_to_num(b.counts)
    for label, counts, index in (("A", counts_a, kept.a), ("B", counts_b, kept.b)):
        if counts[index].sum() <= 0:
            return Refusal(f"arm {label} had no observation", comparable=False)
    kept = kept.usable(counts_a, counts_b)
    if min(kept.a.size, kept.b.size) < 2:
        return Refusal(ONE_BLOCK, comparable=True)
    left, right = _sides(a, b, kept)
    f_a, f_b = left.cumulative(), right.cumulative()
    edges = np.concatenate(([0.0], np.asarray(a.bounds), [inf]))
    at_a, at_b = _bucket(f_a, q), _bucket(f_b, q)
    found = _widening(left, right, kept, q, edges)
    drawn_a, drawn_b = _draw((left, right), (f_a, f_b), kept, found, q)
    low, high = _ratio_bounds(edges, drawn_a, drawn_b)
    est_a, est_b = _interpolate(f_a, q, edges), _interpolate(f_b, q, edges)
    if not (isfinite(est_a) and isfinite(est_b)):
        return Refusal(
            f"the p{q * 100:g} lies above the largest bucket bound, {a.bounds[-1]:g} {a.unit}".rstrip(), comparable=True
        )
    estimate = est_b / est_a if est_a > 0 else inf
    not_below = (1 + int((drawn_b >= drawn_a).sum())) / (REPLICATES + 1)
    not_above = (1 + int((drawn_b <= drawn_a).sum())) / (REPLICATES + 1)
    notes = serial_note(Spread(found.variance, found.df, found.inflation))
    if at_a == at_b:
        notes = (f"below the resolution of the buckets: both lie in {_span(edges, at_a, a.unit)}", *notes)
    return Effect(
        scale=Scale.RATIO,
        change=Interval(estimate, min(low, estimate), max(high, estimate)),
        a=_held(edges, drawn_a, est_a),
        b=_held(edges, drawn_b, est_b),
        p_value=min(1.0, 2 * min(not_below, not_above)),
        method=f"bootstrap of {describe(kept)}, widened by the buckets",
        notes=notes,
    )


def mean_parts(histogram: Histogram) -> tuple[FloatArray, FloatArray]:
    """Sum and count of the observations a block: the mean knows no buckets."""
    return histogram.sums, histogram.counts


def _sides(a: Histogram, b: Histogram, kept: Pairing) -> tuple[_Side, _Side]:
    rows_a, rows_b = a.buckets[kept.a], b.buckets[kept.b]
    strata = np.unique(kept.strata_a)
    groups_a = tuple(np.flatnonzero(kept.strata_a == s) for s in strata)
    groups_b = tuple(np.flatnonzero(kept.strata_b == s) for s in strata)
    sizes = [(rows_a[g].sum(), rows_b[h].sum()) for g, h in zip(groups_a, groups_b, strict=True)]
    weights = np.array([x * y / (x + y) for x, y in sizes])
    weights = weights / weights.sum()
    return _Side(rows_a, groups_a, weights), _Side(rows_b, groups_b, weights)


def _standard(by_stratum: FloatArray, weights: FloatArray) -> FloatArray:
    """(…, strata, buckets) counts → (…, buckets) distribution function."""
    cumulative = by_stratum.cumsum(axis=-1)
    total = np.maximum(cumulative[..., -1:], 1e-12)
    result: FloatArray = np.einsum("...sb,s->...b", cumulative / total, weights)
    return result


def _bucket(f: FloatArray, q: float) -> int:
    return int(np.argmax(f >= q - 1e-12))


def _density(f: FloatArray, at: int, edges: FloatArray) -> float:
    """Mass per unit of log latency around a bucket, from it and its neighbours; bounded away from zero."""
    first, last = max(at - 1, 1), min(at + 1, f.size - 2)
    if last < first or edges[first] <= 0 or not isfinite(edges[last + 1]):
        return 1.0
    mass = f[last] - f[first - 1]
    return max(float(mass), 1e-6) / log(edges[last + 1] / edges[first])


def _widening(left: _Side, right: _Side, kept: Pairing, q: float, edges: FloatArray) -> Spread:
    """Spread of the log ratio of the quantiles, linearised: used for its inflation and degrees of freedom."""
    f_a, f_b = left.cumulative(), right.cumulative()
    at_a, at_b = _bucket(f_a, q), _bucket(f_b, q)
    last = f_a.size - 2
    u_a = -left.influence(min(at_a, last)) / _density(f_a, at_a, edges)
    u_b = -right.influence(min(at_b, last)) / _density(f_b, at_b, edges)
    if kept.paired:
        return spread(u_b - u_a, kept.strata_a, paired=True) or Spread(0.0, 1.0)
    one, two = spread(u_a, kept.strata_a), spread(u_b, kept.strata_b)
    return one + two if one and two else Spread(0.0, 1.0)


def _draw(
    sides: tuple[_Side, _Side], centre: tuple[FloatArray, FloatArray], kept: Pairing, found: Spread, q: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Bucket of the q-quantile in each replicate, for both arms."""
    left, right = sides
    random = np.random.default_rng(SEED)
    weights_a = [random.multinomial(g.size, np.full(g.size, 1 / g.size), REPLICATES) for g in left.groups]
    weights_b = (
        weights_a
        if kept.paired
        else [random.multinomial(g.size, np.full(g.size, 1 / g.size), REPLICATES) for g in right.groups]
    )
    n = min(kept.a.size, kept.b.size)
    widen = sqrt(found.inflation * n / (n - 1)) * quantile(found.df) / NORMAL_QUANTILE
    drawn = []
    for side, weights, f in ((left, weights_a, centre[0]), (right, weights_b, centre[1])):
        sums = np.stack([w @ side.buckets[g] for w, g in zip(weights, side.groups, strict=True)], axis=1)
        moved = np.clip(f + widen * (_standard(sums, side.weights) - f), 0.0, 1.0)
        moved = np.maximum.accumulate(moved, axis=1)
        moved[:, -1] = 1.0
        drawn.append(np.argmax(moved >= q - 1e-12, axis=1))
    return drawn[0], drawn[1]


def _ratio_bounds(edges: FloatArray, drawn_a: NDArray[np.intp], drawn_b: NDArray[np.intp]) -> tuple[float, float]:
    with np.errstate(divide="ignore"):
        lows = edges[drawn_b] / edges[drawn_a + 1]
        highs = edges[drawn_b + 1] / edges[drawn_a]
    return (
        float(np.quantile(lows, 0.025, method="lower")),
        float(np.quantile(highs, 0.975, method="higher")),
    )


def _held(edges: FloatArray, drawn: NDArray[np.intp], estimate: float) -> Interval:
    low = float(np.quantile(edges[drawn], 0.025, method="lower"))
    high = float(np.quantile(edges[drawn + 1], 0.975, method="higher"))
    return Interval(estimate, low, high)


def _interpolate(f: FloatArray, q: float, edges: FloatArray) -> float:
    at = _bucket(f, q)
    below = f[at - 1] if at else 0.0
    mass = f[at] - below
    if not isfinite(edges[at + 1]):
        return inf
    return float(edges[at] + (edges[at + 1] - edges[at]) * ((q - below) / mass if mass > 0 else 0.5))


def _span(edges: FloatArray, at: int, unit: str) -> str:
    return f"({edges[at]:g}, {edges[at + 1]:g}] {unit}".rstrip()


def _bounds(histogram: Histogram) -> str:
    return f"{len(histogram.bounds)} bounds ({', '.join(f'{x:g}' for x in histogram.bounds[:4])}, …)"
