"""Levels and slopes with their intervals, averaged over the noise models by how likely each is."""

from math import inf, sqrt

import numpy as np

from pivotscope_collector.estimates.share import Interval, t_quantile
from pivotscope_collector.trends.fit import THRESHOLDS, Fit, Kind, Term
from pivotscope_collector.trends.series import FloatArray

POWER_QUANTILE = 0.8416212335729143
"""Standard normal at 80 %."""


class Estimates:
    """What a fit says about levels and slopes; moments are indices of points.

    Each noise model gives a generalised least-squares estimate; models count by their restricted likelihood, so the
    interval holds what is not known of the drift, too. Student's t has the degrees of freedom of the effective points.
    """

    def __init__(self, fit: Fit) -> None:
        times = fit.series.times
        self._fit = fit
        self._terms = np.column_stack([np.zeros((times.size, 0)), *(term.column(times) for term in fit.terms)])
        x = np.column_stack((fit.columns, self._terms))
        values = fit.series.values
        px = fit.noise.precision @ x
        information = np.swapaxes(px, 1, 2) @ x
        self._inverse = np.linalg.inv(information)
        self._beta = (self._inverse @ (np.swapaxes(px, 1, 2) @ values)[:, :, None])[:, :, 0]
        rest = values - self._beta @ x.T
        squares = (rest[:, None, :] @ fit.noise.precision @ rest[:, :, None])[:, 0, 0]
        free = max(1, times.size - x.shape[1])
        squares = np.maximum(squares, 1e-300)
        _, extra = np.linalg.slogdet(information)
        likelihood = -0.5 * (free * np.log(squares) + fit.noise.log_determinant + extra)
        weights = np.exp(likelihood - likelihood.max())
        self._weights = np.asarray(weights / weights.sum(), dtype=np.float64)
        self._scale = squares / free
        self._parameters = x.shape[1]

    @property
    def effective_points(self) -> float:
        """As many independent points would know the mean as well as these, which resemble their neighbours."""
        ones = np.ones(self._fit.series.size)
        information = self._fit.noise.precision @ ones @ ones
        spread = self._fit.noise.marginal
        return float(self._weights @ np.clip(spread * information, 1.0, self._fit.series.size))

    def level(self, index: int, *, without: Term | None = None) -> Interval:
        """The level at a point, free of season; `without` leaves out one term, as if it had not come."""
        kept = [0.0 if term is without else 1.0 for term in self._fit.terms]
        return self._combined(self._contrast(1.0, self._terms[index] * kept))

    def slope(self) -> Interval:
        """Change a second at the end of the series."""
        ends = [1.0 if term.kind is Kind.SLOPE else 0.0 for term in self._fit.terms]
        found = self._combined(self._contrast(0.0, np.array(ends)))
        step = self._fit.series.step
        return Interval(found.estimate / step, found.low / step, found.high / step)

    def detectable(self) -> float:
        """How large a lasting step in the middle must be to be found in four of five cases; inf where unknown."""
        size = self._fit.series.size
        middle = (np.arange(size) >= size // 2).astype(np.float64)
        x = np.column_stack((self._fit.columns, self._terms))
        px = self._fit.noise.precision @ x
        pz = self._fit.noise.precision @ middle
        known = pz @ middle - np.einsum("gp,gpq,gq->g", px.swapaxes(1, 2) @ middle, self._inverse, pz @ x)
        variance = float(self._weights @ (self._scale / np.maximum(known, 1e-12)))
        return (sqrt(THRESHOLDS[Kind.STEP]) + POWER_QUANTILE) * sqrt(variance) if variance > 0.0 else inf

    def _contrast(self, constant: float, terms: FloatArray) -> FloatArray:
        seasons = np.zeros(self._fit.columns.shape[1] - 1)
        return np.concatenate(([constant], seasons, terms))

    def _combined(self, contrast: FloatArray) -> Interval:
        each = self._beta @ contrast
        own = self._scale * np.einsum("i,gij,j->g", contrast, self._inverse, contrast)
        mean = float(self._weights @ each)
        deviation = sqrt(max(0.0, float(self._weights @ (own + (each - mean) ** 2))))
        half = t_quantile(round(max(2.0, self.effective_points - self._parameters))) * deviation
        return Interval(mean, mean - half, mean + half)
