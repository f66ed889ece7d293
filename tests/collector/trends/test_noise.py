import numpy as np
import pytest
from pivotscope_collector.trends.noise import GRID, noise
from pivotscope_collector.trends.series import Point, Series, series_of


def drawn(points: int, *, quiet: bool) -> Series:
    """Points with gaps between them, that know the quantity well and badly; `quiet`: as if exactly."""
    random = np.random.default_rng(points)
    at = np.sort(random.choice(3 * points, points, replace=False)) * 60
    variances = np.zeros(points) if quiet else random.random(points) ** 6
    return series_of([Point(int(one), 0.5, float(v), 9, 5) for one, v in zip(at, variances, strict=True)], 60)


@pytest.mark.parametrize("points", [1, 2, 17, 168])
@pytest.mark.parametrize("quiet", [False, True])
def test_precisions_are_inverses_of_drift_and_sampling_noise(points: int, *, quiet: bool) -> None:
    series = drawn(points, quiet=quiet)
    sampling = np.ones(points) if quiet else series.variances / series.variances.mean()
    distance = np.abs(series.times[:, None] - series.times[None, :])
    found = noise(series)
    for model, (phi, ratio) in enumerate(GRID):
        covariance = ratio * phi**distance + np.diag(np.maximum(sampling, 1e-3))
        np.testing.assert_allclose(found.precision[model] @ covariance, np.eye(points), atol=1e-8)
        assert found.log_determinant[model] == pytest.approx(np.linalg.slogdet(covariance)[1], abs=1e-8)
        assert found.marginal[model] == pytest.approx(1.0 / (1.0 / np.diag(covariance)).mean())
