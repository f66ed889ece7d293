"""Did the traffic arrive in the shares that were planned? If not, the assignment is broken and nothing else counts."""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from pivotscope_collector.impact.arm import FloatArray
from pivotscope_collector.impact.pairing import Pairing

STOP_BELOW = 0.001


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Planned and observed share of B, χ² (1 degree of freedom a stage) and its p; `ok` is False below .001."""

    planned: tuple[float, ...]
    observed: tuple[float, ...]
    chi_square: float
    p_value: float

    @property
    def ok(self) -> bool:
        """Whether the observed split may be chance."""
        return self.p_value >= STOP_BELOW


def sample_ratio(a: FloatArray, b: FloatArray, pairing: Pairing, planned: tuple[float, ...]) -> SampleRatio | None:
    """χ² of requests a stage against the planned share of B; None where the arms did not run together.

    Requests of one user come together, so χ² is divided by the dispersion that blocks show about their stage's own
    share (at least 1; Rao & Scott 1981). `planned` has one share a stage that was given, or one for all.
    """
    if not pairing.paired or pairing.a.size == 0:
        return None
    requests_a, requests_b = np.nan_to_num(a[pairing.a]), np.nan_to_num(b[pairing.b])
    chi = dispersion = 0.0
    free = stages = 0
    shares: list[float] = []
    used: list[float] = []
    for stage in np.unique(pairing.strata_a):
        here = pairing.strata_a == stage
        n = requests_a[here] + requests_b[here]
        total, seen = float(n.sum()), float(requests_b[here].sum())
        plan = planned[int(stage)] if len(planned) > 1 else planned[0]
        if total <= 0 or not 0 < plan < 1:
            continue
        share = seen / total
        shares.append(share)
        used.append(plan)
        stages += 1
        chi += (seen - total * plan) ** 2 / (total * plan * (1 - plan))
        if 0 < share < 1:
            dispersion += float((((requests_b[here] - n * share) ** 2) / (n * share * (1 - share))).sum())
            free += int(here.sum()) - 1
    if not stages:
        return None
    scale = max(1.0, dispersion / free) if free else 1.0
    return SampleRatio(tuple(used), tuple(shares), chi / scale, float(chdtrc(stages, chi / scale)))
