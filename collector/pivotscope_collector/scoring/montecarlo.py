"""Random numbers of the ranking: a common stream shared by all candidates and one of each candidate's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.function import Function

from pivotscope_collector.scoring.candidate import Quantiles
from pivotscope_collector.scoring.priors import Prior, WorkClass

Vector = NDArray[np.float64]

COMMON = 0.5
"""Part of the variance of speedup and effort that all candidates share: the team, the target language, the bridge."""

LOGIT_SD_LIMIT = 3.0
GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Draws:
    """Standard normals and uniforms of one candidate; equal seeds and identities give equal draws."""

    share: Vector
    movable: Vector
    work: Vector
    speedup: Vector
    calls: Vector
    boundary: Vector
    effort: Vector
    alternative: Vector
    alternative_effort: Vector


class Stream:
    """Makes draws. What is common is drawn once, so that candidates are compared in the same worlds.

    A candidate's own part depends on the seed and its identity alone: other candidates cannot move it.
    """

    def __init__(self, seed: int, draws: int) -> None:
        self._seed = seed
        self._draws = draws
        common = np.random.default_rng(seed)
        self._speedup = common.standard_normal(draws)
        self._effort = common.standard_normal(draws)

    def draws(self, service: str, root: Function) -> Draws:
        """The draws of the candidate with this service and root."""
        identity = "\0".join((service, root.codebase, root.language, root.path, root.qualified_name))
        digest = blake2b(identity.encode("utf-8", "surrogateescape"), digest_size=8).digest()
        own = np.random.default_rng([self._seed, int.from_bytes(digest, "big")])
        normal = own.standard_normal((7, self._draws))
        return Draws(
            share=normal[0],
            movable=own.random(self._draws),
            work=own.random(self._draws),
            speedup=_mixed(self._speedup, normal[1]),
            calls=normal[2],
            boundary=normal[3],
            effort=_mixed(self._effort, normal[4]),
            alternative=normal[5],
            alternative_effort=normal[6],
        )


def draw_share(estimate: float, logit_sd: float, z: Vector) -> Vector:
    """A share: normal on the logit scale. An unbounded spread is cut; its verdict is insufficient data anyway."""
    p = min(1.0 - 1e-9, max(1e-9, estimate))
    spread = min(logit_sd, LOGIT_SD_LIMIT)
    return np.asarray(1.0 / (1.0 + np.exp(-(np.log(p / (1.0 - p)) + spread * z))), dtype=np.float64)


def draw_movable(movable: float, hidden: float, u: Vector) -> Vector:
    """The movable part, less native time that no sampler could see: Beta(1, 1 ÷ hidden − 1), of mean `hidden`."""
    if hidden <= 0.0:
        return np.full_like(u, movable)
    return np.asarray(movable * (1.0 - u) ** (1.0 / (1.0 / hidden - 1.0)), dtype=np.float64)


def draw_speedup(
    groups: Sequence[tuple[float, Mapping[WorkClass, float]]], priors: Mapping[WorkClass, Prior], u: Vector, z: Vector
) -> Vector:
    """Speedups of a unit whose time is spent on several kinds of work: the harmonic mean over them, 1 ÷ Σ(part ÷ S).

    Each group's S comes from a mixture of lognormal priors: `u`, turned on by the golden ratio from group to group,
    picks the class, and `z` the speedup within it.
    """
    remaining = np.zeros_like(u)
    for number, (part, weights) in enumerate(groups):
        remaining += part / _mixture(weights, priors, (u + number * GOLDEN) % 1.0, z)
    return np.asarray(sum(part for part, _ in groups) / remaining, dtype=np.float64)


def _mixture(weights: Mapping[WorkClass, float], priors: Mapping[WorkClass, Prior], u: Vector, z: Vector) -> Vector:
    kinds = [work for work in WorkClass if weights.get(work, 0.0) > 0.0]
    bounds = np.cumsum([weights[work] for work in kinds])
    picked = np.minimum(np.searchsorted(bounds, u * bounds[-1], side="right"), len(kinds) - 1)
    mu = np.array([priors[work].mu for work in kinds])[picked]
    sigma = np.array([priors[work].sigma for work in kinds])[picked]
    return np.asarray(np.exp(mu + sigma * z), dtype=np.float64)


def draw_lognormal(mu: float, sigma: float, z: Vector) -> Vector:
    """exp(mu + sigma · z)."""
    return np.asarray(np.exp(mu + sigma * z), dtype=np.float64)


def quantiles(values: Vector) -> Quantiles:
    """P10, P50 and P90."""
    p10, p50, p90 = np.quantile(values, (0.1, 0.5, 0.9))
    return Quantiles(float(p10), float(p50), float(p90))


def _mixed(common: Vector, own: Vector) -> Vector:
    return np.asarray(COMMON**0.5 * common + (1.0 - COMMON) ** 0.5 * own, dtype=np.float64)
