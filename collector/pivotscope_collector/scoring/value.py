"""What moving a unit would bring, over many drawn worlds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pivotscope.profile.language import Language

from pivotscope_collector.scoring.alternative import EFFORT_SIGMA
from pivotscope_collector.scoring.boundary import between_sigma
from pivotscope_collector.scoring.bridge import cores, guess_of_work, own_ns
from pivotscope_collector.scoring.candidate import Bridge
from pivotscope_collector.scoring.montecarlo import (
    Draws,
    Vector,
    draw_lognormal,
    draw_movable,
    draw_share,
    draw_speedup,
)
from pivotscope_collector.scoring.priors import Prior, WorkClass
from pivotscope_collector.scoring.proposal import Proposal
from pivotscope_collector.scoring.score import score_of_share, score_of_value
from pivotscope_collector.scoring.settings import ScoringSettings
from pivotscope_collector.scoring.units import Unit

COST_LIMIT = 5.0
"""A boundary that costs five times the work would be noticed before anybody rolled it out."""

HIDDEN_NATIVE = 0.10
HIDDEN_NATIVE_WITHOUT_CALLS = 0.02
"""Mean part of a function's time that built-in functions took unseen, where no native frames were sampled; reasoned."""


@dataclass(frozen=True, slots=True)
class Worlds:
    """One value a draw. Shares are of the service's CPU, weeks of one engineer; dollars are None without core-hours."""

    share: Vector
    movable: Vector
    speedup: Vector
    boundary: Vector
    weeks: Vector
    saved: Vector
    core_hours: Vector | None
    dollars: Vector | None
    score: Vector
    alternative_weeks: Vector
    alternative_saved: Vector

    @property
    def worth(self) -> Vector:
        """What candidates of one service are compared by: dollars, or saved share, ÷ week."""
        return (self.saved if self.dollars is None else self.dollars) / self.weeks


def simulate(proposal: Proposal, priors: Mapping[WorkClass, Prior], draws: Draws, settings: ScoringSettings) -> Worlds:
    """Saved = p·m·(1 − 1/S) − boundary; dollars = C·saved·price·ρ; worth = dollars ÷ week."""
    unit, option = proposal.unit, proposal.option
    share = draw_share(unit.root.total_share.estimate, unit.root.total_share.logit_sd, draws.share)
    movable = draw_movable(unit.movable, _hidden_native(unit), draws.movable)
    speedup = draw_speedup(proposal.work.groups, priors, draws.work, draws.speedup)
    boundary = _boundary(unit, proposal.bridge, share * movable, draws)
    weeks = draw_lognormal(proposal.effort.mu, proposal.effort.sigma, draws.effort)
    saved = saved_share(share, movable, speedup, boundary)
    core_hours, dollars = _money(unit, saved, settings)
    other_speedup = draw_lognormal(option.mu, option.sigma, draws.alternative)
    return Worlds(
        share=share,
        movable=movable,
        speedup=speedup,
        boundary=boundary,
        weeks=weeks,
        saved=saved,
        core_hours=core_hours,
        dollars=dollars,
        score=score_of_share(saved / weeks) if dollars is None else score_of_value(dollars / weeks),
        alternative_weeks=draw_lognormal(option.effort_mu, EFFORT_SIGMA, draws.alternative_effort),
        alternative_saved=saved_share(share, movable, other_speedup, np.zeros_like(share)),
    )


def saved_share(share: Vector, movable: Vector, speedup: Vector, boundary: Vector) -> Vector:
    """Part of the service's CPU that is saved: it saturates in the speedup, and the boundary comes off."""
    return np.asarray(share * movable * (1.0 - 1.0 / speedup) - boundary, dtype=np.float64)


def service_speedup(saved: Vector) -> Vector:
    """What Amdahl's law leaves of a speedup for the whole service: 1 ÷ (1 − saved share of CPU)."""
    return np.asarray(1.0 / np.maximum(1e-3, 1.0 - saved), dtype=np.float64)


def _hidden_native(unit: Unit) -> float:
    """Mean native part that the samples could not tell; Ruby's and native windows tell it."""
    if unit.root.native_known or unit.service.language is Language.RUBY:
        return 0.0
    whole = sum(share for _, share in unit.parts)
    hidden = 0.0
    for function, share in unit.parts:
        facts = unit.service.facts.get(function)
        without_calls = facts is not None and facts.calls == 0
        hidden += share / whole * (HIDDEN_NATIVE_WITHOUT_CALLS if without_calls else HIDDEN_NATIVE)
    return hidden


def _boundary(unit: Unit, bridge: Bridge, moved: Vector, draws: Draws) -> Vector:
    """Share of the service's CPU spent crossing: calls × cost, or, unknown calls, cost ÷ a guessed work a call."""
    cost = bridge.call_ns.p50 * np.exp(between_sigma(bridge.call_ns) * draws.boundary)
    if own_ns(unit) is not None and unit.root.calls is not None:
        crossing = unit.root.calls * cost * 1e-9 / cores(unit.service)
    else:
        guess = guess_of_work(unit)
        crossing = moved * cost / draw_lognormal(guess.mu, guess.sigma, draws.calls)
    return np.asarray(np.minimum(crossing, COST_LIMIT * moved), dtype=np.float64)


def _money(unit: Unit, saved: Vector, settings: ScoringSettings) -> tuple[Vector | None, Vector | None]:
    if unit.service.core_hours_per_year is None:
        return None, None
    core_hours = unit.service.core_hours_per_year * settings.fleet * saved
    return core_hours, core_hours * settings.price * settings.rho
