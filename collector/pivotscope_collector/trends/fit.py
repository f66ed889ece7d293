"""Which steps and slopes a series shows beyond noise, season and drift: generalised least squares, term by term.

Every hypothesis gets the noise model of `noise.GRID` that suits it best: "a step in quiet noise" has to beat "no step,
but noise that drifts" by likelihood. Neighbouring points that resemble each other are then no evidence by themselves.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pivotscope_collector.trends.noise import Noise, noise
from pivotscope_collector.trends.series import FloatArray, Series

Places = NDArray[np.intp]

MOST_TERMS = 3
LOCATION = 7.35
"""Twice the log likelihood that a moment may fall behind the best and still be in its 95 % interval (Hansen 2000,
Econometrica 68:575, table I: the same law for the place of a step)."""


class Kind(StrEnum):
    """What happens at a moment: the level jumps, or its slope changes."""

    STEP = "step"
    SLOPE = "slope"


THRESHOLDS = {Kind.STEP: 17.0, Kind.SLOPE: 14.0}
"""Twice the gain in log likelihood that a term must bring. Of series without a change at most one in twenty has a step
or slope beyond these: for 16 to 168 points, drift with φ up to .9, seasons, missing points. Simulated, and tested."""


@dataclass(frozen=True, slots=True)
class Term:
    """A step at a point, or a slope from a point on (0: throughout), with the points between which it may lie."""

    kind: Kind
    index: int
    earliest: int
    latest: int
    gain: float

    def column(self, times: FloatArray) -> FloatArray:
        """The regressor: 0 before, and 1, or steps since, from the point on."""
        if self.kind is Kind.STEP:
            return (np.arange(times.size) >= self.index).astype(np.float64)
        return np.asarray(np.maximum(0.0, times - times[self.index]), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Terms in order of time, with what is needed to estimate with them."""

    series: Series
    columns: FloatArray
    noise: Noise
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """M = P − PX(X'PX)⁻¹X'P of every noise model for the columns X so far; `free` is points − columns."""

    m: FloatArray
    log_determinant: FloatArray
    free: int

    def likelihood(self, squares: FloatArray) -> FloatArray:
        """Profile log likelihoods of sums of squares (models, …)."""
        determinant = self.log_determinant.reshape((-1,) + (1,) * (squares.ndim - 1))
        found = -0.5 * (self.free * np.log(np.maximum(squares, 1e-300)) + determinant)
        return np.asarray(found, dtype=np.float64)


def least_segment(points: int) -> int:
    """Points that a level must last for: what ends sooner is a blip, such as a deployment."""
    return max(4, points // 16)


def fit(series: Series, columns: FloatArray) -> Fit:
    """Add the term that explains most until none brings enough, at most MOST_TERMS. `columns` are those of seasons."""
    values = calm(series.values)
    x = np.column_stack((np.ones(series.size), columns))
    model = noise(series)
    px = model.precision @ x
    m = model.precision - px @ np.linalg.solve(np.swapaxes(px, 1, 2) @ x, np.swapaxes(px, 1, 2))
    state = _State(m, model.log_determinant, series.size - x.shape[1])
    terms: list[Term] = []
    while len(terms) < MOST_TERMS:
        term = _best(state, series.times, values, terms)
        if term is None:
            break
        terms.append(term)
        state = _with(state, term.column(series.times))
    calmed = replace(series, values=values)
    return Fit(calmed, x, model, tuple(sorted(terms, key=lambda term: term.index)))


def calm(values: FloatArray) -> FloatArray:
    """Values with single outliers pulled in to three deviations (by the median) from the median of their neighbours."""
    size, reach = values.size, 5
    if size < 2 * reach + 1:
        return values
    padded = np.pad(values, reach, mode="reflect")
    near = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    limit = 3.0 * 1.4826 * float(np.median(np.abs(values - near)))
    return np.asarray(np.clip(values, near - limit, near + limit) if limit > 0.0 else values, dtype=np.float64)


def _with(state: _State, column: FloatArray) -> _State:
    mz = state.m @ column
    weight = mz @ column
    m = state.m - mz[:, :, None] * mz[:, None, :] / weight[:, None, None]
    return _State(m, state.log_determinant, state.free - 1)


def _best(state: _State, times: FloatArray, values: FloatArray, terms: list[Term]) -> Term | None:
    """The term that exceeds its threshold by most, if any does."""
    my = state.m @ values
    squares = my @ values
    if state.free < 4 or not (squares > 0.0).all():
        return None
    found = []
    for kind in Kind:
        where = _places(kind, times.size, terms)
        if where.size:
            explained = _explained(kind, state.m, my, times, where)
            found.append(_strongest(kind, where, _gains(state, squares, explained)))
    found = [term for term in found if term.gain > THRESHOLDS[term.kind]]
    return max(found, key=lambda term: term.gain - THRESHOLDS[term.kind], default=None)


def _explained(kind: Kind, m: FloatArray, my: FloatArray, times: FloatArray, where: Places) -> FloatArray:
    """What a term at each place takes off the sum of squares (models, places): (z'My)² ÷ z'Mz."""
    if kind is Kind.STEP:
        along = _suffix(my)[:, where]
        own = np.diagonal(_suffix(_suffix(m).swapaxes(1, 2)), axis1=1, axis2=2)[:, where]
    else:
        z = np.maximum(0.0, times[:, None] - times[where][None, :])
        along = my @ z
        own = (z * (m @ z)).sum(axis=1)
    return np.asarray(np.where(own > 1e-9, along**2 / np.maximum(own, 1e-9), 0.0), dtype=np.float64)


def _gains(state: _State, squares: FloatArray, explained: FloatArray) -> FloatArray:
    """Twice the gain in log likelihood at each place, each hypothesis with the noise that suits it best."""
    left = np.maximum(squares[:, None] - explained, 1e-12 * squares[:, None])
    gains: FloatArray = 2.0 * (state.likelihood(left).max(axis=0) - state.likelihood(squares).max())
    return gains


def _strongest(kind: Kind, where: Places, gains: FloatArray) -> Term:
    best = int(gains.argmax())
    near = np.flatnonzero(gains >= gains[best] - LOCATION)
    if kind is Kind.SLOPE and where[near[0]] == 0:
        best = 0  # A slope throughout says less, and explains as much.
    return Term(kind, int(where[best]), int(where[near[0]]), int(where[near[-1]]), float(gains[best]))


def _places(kind: Kind, size: int, terms: list[Term]) -> Places:
    """Points at which a term may be put: with a segment on both sides, and not beside another term of its kind."""
    least = least_segment(size)
    if kind is Kind.STEP:
        places = np.arange(least, size - least + 1)
    else:
        least *= 2
        places = np.concatenate(([0], np.arange(least, size - least + 1, max(1, size // 40))))
    keep = np.ones(places.size, dtype=np.bool_)
    for term in terms:
        if term.kind is kind:
            keep &= np.abs(places - term.index) >= least
    return np.asarray(places[keep], dtype=np.intp)


def _suffix(values: FloatArray) -> FloatArray:
    """Sums from each place of the last axis to its end."""
    return np.asarray(values[..., ::-1].cumsum(axis=-1)[..., ::-1], dtype=np.float64)
