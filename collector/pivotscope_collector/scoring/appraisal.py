"""A proposal with its value over many drawn worlds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pivotscope_collector.scoring.montecarlo import Stream, Vector
from pivotscope_collector.scoring.priors import Prior, WorkClass
from pivotscope_collector.scoring.proposal import Proposal, propose
from pivotscope_collector.scoring.settings import ScoringSettings
from pivotscope_collector.scoring.units import Unit
from pivotscope_collector.scoring.value import Worlds, simulate


@dataclass(frozen=True, slots=True)
class Appraisal:
    """A proposal with the score of each drawn world, and the medians of score and saved share of the service's CPU.

    The worlds themselves are ten times as large, and are drawn again where a candidate is made of them.
    """

    proposal: Proposal
    scores: Vector
    score: float
    saved: float

    @property
    def unit(self) -> Unit:
        """What would move."""
        return self.proposal.unit

    @property
    def order(self) -> tuple[bool, float, float, str, str, str]:
        """Sorts best first: enough data, score, saved share, then names so that ties are stable."""
        root = self.unit.root
        name = root.function.path, root.function.qualified_name
        return root.total_share.insufficient, -self.score, -self.saved, self.unit.service.service, *name


@dataclass(frozen=True, slots=True)
class Appraiser:
    """Draws the worlds of proposals: the same ones of the same proposal each time."""

    priors: Mapping[WorkClass, Prior]
    stream: Stream
    settings: ScoringSettings

    def appraise(self, unit: Unit) -> Appraisal:
        """Propose what to do with a unit, and see what that brings."""
        proposal = propose(unit)
        worlds = self.worlds(proposal)
        return Appraisal(proposal, worlds.score, float(np.median(worlds.score)), float(np.median(worlds.saved)))

    def worlds(self, proposal: Proposal) -> Worlds:
        """The drawn worlds of a proposal."""
        unit = proposal.unit
        draws = self.stream.draws(unit.service.service, unit.root.function)
        return simulate(proposal, self.priors, draws, self.settings)


def largest_driver(worlds: Worlds) -> str:
    """The input whose order explains most of the order of the worth: the largest squared rank correlation."""
    worth = _ranks(worlds.worth)
    inputs: Mapping[str, Vector] = {
        "share of CPU": worlds.share,
        "movable part": worlds.movable,
        "speedup": worlds.speedup,
        "boundary": worlds.boundary,
        "effort": worlds.weeks,
    }
    return max(inputs, key=lambda name: _correlation(_ranks(inputs[name]), worth) ** 2)


def _ranks(values: Vector) -> Vector:
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return np.asarray(order * float(np.ptp(values) > 0.0), dtype=np.float64)


def _correlation(a: Vector, b: Vector) -> float:
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean()) / spread if spread > 0.0 else 0.0
