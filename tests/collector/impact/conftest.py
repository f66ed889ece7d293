"""Synthetic arms with known truth."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pivotscope.profile.metric import MetricRole
from pivotscope_collector.impact.arm import Arm, Counter, FloatArray, Grid, Histogram, ProcessCpu

BOUNDS = tuple(float(f"{0.005 * 1.5**i:.4g}") for i in range(16))
MINUTE = 60_000_000_000


def autoregression(random: np.random.Generator, phi: float, blocks: int, runs: int = 1) -> FloatArray:
    """(runs, blocks) of a stationary AR(1) with unit innovations."""
    values = np.zeros((runs, blocks))
    values[:, 0] = random.standard_normal(runs) / np.sqrt(1 - phi**2)
    for k in range(1, blocks):
        values[:, k] = phi * values[:, k - 1] + random.standard_normal(runs)
    return values


def histogram(random: np.random.Generator, requests: FloatArray, median: FloatArray, unit: str = "s") -> Histogram:
    """Latencies of a lognormal with σ = .5 about each block's median."""
    rows, sums = [], []
    for n, m in zip(requests.astype(int), median, strict=True):
        seen = np.exp(np.log(m) + 0.5 * random.standard_normal(n))
        rows.append(np.bincount(np.searchsorted(BOUNDS, seen), minlength=len(BOUNDS) + 1))
        sums.append(seen.sum())
    return Histogram(
        MetricRole.LATENCY,
        "http_seconds",
        unit,
        BOUNDS,
        np.array(rows, dtype=float),
        np.array(sums),
        np.full(requests.size, 60.0),
    )


def counter(role: MetricRole, values: NDArray[Any], unit: str = "", reversals: int = 0) -> Counter:
    """A counter with one increment a block."""
    return Counter(role, f"app_{role.value}", unit, values.astype(float), np.full(values.size, 60.0), 60, reversals)


def build_pair(
    seed: int = 1,
    *,
    blocks: int = 60,
    share: float | FloatArray = 0.5,
    speedup: float = 1.0,
    latency: float = 1.0,
    error: tuple[float, float] = (0.01, 0.01),
    traffic: float = 400.0,
) -> tuple[Arm, Arm]:
    """Two arms that ran together: traffic, CPU and latency move together with AR(1) φ = .8."""
    random = np.random.default_rng(seed)
    level = np.exp(0.2 * autoregression(random, 0.8, blocks)[0])
    cost = np.exp(0.1 * autoregression(random, 0.8, blocks)[0])
    total = random.poisson(traffic * level)
    of_b = random.binomial(total, share)
    arms = []
    for label, requests, faster, slower, p in (
        ("old", total - of_b, 1.0, 1.0, error[0]),
        ("new", of_b, speedup, latency, error[1]),
    ):
        count = requests.astype(float)
        cpu = count * 0.02 * cost / faster * np.exp(0.03 * random.standard_normal(blocks))
        arms.append(
            Arm(
                label,
                Grid(28_000_000 * MINUTE, MINUTE, blocks),
                counters=(
                    counter(MetricRole.REQUESTS, count),
                    counter(MetricRole.ERRORS, random.binomial(requests, p)),
                    counter(MetricRole.VALIDATIONS, count),
                    counter(MetricRole.VALIDATION_FAILURES, random.binomial(requests, 0.002)),
                    counter(
                        MetricRole.REVENUE, count * 3.0 + np.sqrt(count) * 5 * random.standard_normal(blocks), "usd"
                    ),
                    counter(MetricRole.ENGAGEMENT, random.poisson(count * 0.3)),
                ),
                histograms=(histogram(random, count, 0.04 * cost * slower),),
                cpu=ProcessCpu(cpu),
            )
        )
    return arms[0], arms[1]


@pytest.fixture
def make_pair() -> Callable[..., tuple[Arm, Arm]]:
    """`build_pair`, for tests."""
    return build_pair


@pytest.fixture
def make_counter() -> Callable[..., Counter]:
    """`counter`, for tests."""
    return counter


@pytest.fixture
def make_histogram() -> Callable[..., Histogram]:
    """`histogram`, for tests."""
    return histogram


@pytest.fixture
def ar1() -> Callable[..., FloatArray]:
    """`autoregression`, for tests."""
    return autoregression
