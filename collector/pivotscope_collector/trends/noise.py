"""What is not a change: noise of sampling, known for every point, and drift that resembles its neighbours."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded

from pivotscope_collector.trends.series import FloatArray, Series

PHIS = (0.0, 0.4, 0.7, 0.88, 0.96)
RATIOS = (0.5, 3.0, 20.0)
GRID = ((0.0, 0.0), *((phi, ratio) for ratio in RATIOS for phi in PHIS))
"""(φ, ratio): correlation of the drift one step apart, and its variance over the mean variance of sampling."""


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """The models of GRID for one series: inverse covariances (models, points, points), log determinants (models).

    `marginal` is each model's harmonic mean variance of a point (models).
    """

    precision: FloatArray
    log_determinant: FloatArray
    marginal: FloatArray


def noise(series: Series) -> Noise:
    """Covariances ratio · φ^|distance in steps| + diagonal(variances ÷ their mean), up to a common factor.

    Drift of this kind depends on the past by the point before alone, so that its inverse covariance has three
    diagonals, and all takes time by the square of the points. Source: Rue and Held, Gaussian Markov Random Fields,
    2005, section 1.1.
    """
    mean = float(series.variances.mean())
    sampling = series.variances / mean if mean > 0.0 else np.ones(series.size)
    # A floor of sampling noise keeps a series that never varies invertible.
    sampling = np.maximum(sampling, 1e-3)
    precision = np.zeros((len(GRID), series.size, series.size)) + np.diag(1.0 / sampling)
    log_determinant = np.zeros(len(GRID)) + np.log(sampling).sum()
    for model, (phi, ratio) in enumerate(GRID):
        if ratio > 0.0:
            # (S + D)⁻¹ = S⁻¹ − S⁻¹(S⁻¹ + D⁻¹)⁻¹S⁻¹ for sampling noise S and drift D; likewise their determinants.
            drift, drift_log_determinant = _drift(series.times, phi, ratio)
            drift[1] += 1.0 / sampling
            factor = cholesky_banded(drift)
            both = cho_solve_banded((factor, False), np.diag(1.0 / sampling))
            precision[model] -= both / sampling[:, None]
            log_determinant[model] += drift_log_determinant + 2.0 * np.log(factor[1]).sum()
    marginal = np.array([1.0 / (1.0 / (sampling + ratio)).mean() for _, ratio in GRID])
    return Noise(precision, log_determinant, marginal)


def _drift(times: FloatArray, phi: float, ratio: float) -> tuple[FloatArray, float]:
    """The inverse of the covariance ratio · φ^|distance|: its upper diagonals (2, points), and the log determinant."""
    near = phi ** np.diff(times)
    fresh = 1.0 - near**2
    bands = np.zeros((2, times.size))
    bands[0, 1:] = -near / fresh
    bands[1, 0] = 1.0
    bands[1, 1:] = 1.0 / fresh
    bands[1, :-1] += near**2 / fresh
    return bands / ratio, float(times.size * np.log(ratio) + np.log(fresh).sum())
