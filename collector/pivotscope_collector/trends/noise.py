"""What is not a change: noise of sampling, known for every point, and drift that resembles its neighbours."""

from dataclasses import dataclass

import numpy as np

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
    """Covariances ratio · φ^|distance in steps| + diagonal(variances ÷ their mean), up to a common factor."""
    mean = float(series.variances.mean())
    sampling = series.variances / mean if mean > 0.0 else np.ones(series.size)
    distance = np.abs(series.times[:, None] - series.times[None, :])
    # A floor of sampling noise keeps a series that never varies invertible.
    covariance = np.zeros((len(GRID), series.size, series.size)) + np.diag(np.maximum(sampling, 1e-3))
    for model, (phi, ratio) in enumerate(GRID):
        covariance[model] += ratio * (phi**distance)
    _, log_determinant = np.linalg.slogdet(covariance)
    marginal = 1.0 / (1.0 / np.diagonal(covariance, axis1=1, axis2=2)).mean(axis=1)
    return Noise(np.linalg.inv(covariance), np.asarray(log_determinant, dtype=np.float64), marginal)
