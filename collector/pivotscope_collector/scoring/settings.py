"""What the user can set about money and ranking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from pivotscope_collector.errors import UsageError
from pivotscope_collector.scoring.priors import WorkClass


@dataclass(frozen=True, slots=True)
class ScoringSettings:
    """Prices and rules of the ranking.

    `price` is dollars a vCPU-hour (default: m6i on demand; 0.0504 m7i, 0.0408 m7g). `rho` is how much of saved CPU
    becomes saved capacity: 0 with a fixed fleet, about 1 where it scales with load. `fleet` is how many times the
    measured CPU runs in all: 50 where an agent sits on one host of fifty alike. `engineer_week` is dollars for a
    week of one engineer. `top` is the k of P(in the top k). `minimum_share` is the share of a service's CPU below
    which a function is no unit. `finished` are speedups that the team's own migrations measured, by class of work.
    """

    price: float = 0.048
    rho: float = 0.8
    fleet: float = 1.0
    engineer_week: float = 4000.0
    top: int = 3
    seed: int = 20_000
    draws: int = 2000
    minimum_share: float = 0.005
    finished: Mapping[WorkClass, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, lowest, highest in (
            ("price", 0.0, 1e6),
            ("rho", 0.0, 1.0),
            ("fleet", 0.001, 1e6),
            ("engineer_week", 1.0, 1e6),
            ("top", 1, 1000),
            ("draws", 100, 1_000_000),
            ("minimum_share", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if not (isfinite(value) and lowest <= value <= highest):
                raise UsageError(f"scoring.{name}={value}: expected a number from {lowest:g} to {highest:g}")
        for work, speedups in self.finished.items():
            if any(not (isfinite(speedup) and speedup > 0.0) for speedup in speedups):
                raise UsageError(f"scoring.finished[{work}]={speedups}: expected speedups above 0")
