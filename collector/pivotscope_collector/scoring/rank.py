"""From evidence to ranked candidates: the one entry of this room."""

from collections.abc import Sequence

import numpy as np

from pivotscope_collector.scoring.alternative import EFFORT_SIGMA, Option
from pivotscope_collector.scoring.appraisal import Appraisal, Appraiser, largest_driver
from pivotscope_collector.scoring.candidate import Alternative, Candidate, Quantiles
from pivotscope_collector.scoring.dominance import undominated
from pivotscope_collector.scoring.evidence import Evidence
from pivotscope_collector.scoring.montecarlo import Stream, Vector, quantiles
from pivotscope_collector.scoring.others import other_bridges
from pivotscope_collector.scoring.priors import PRIORS, updated
from pivotscope_collector.scoring.proposal import Proposal
from pivotscope_collector.scoring.settings import ScoringSettings
from pivotscope_collector.scoring.units import units
from pivotscope_collector.scoring.value import Worlds, service_speedup
from pivotscope_collector.scoring.verdict import payback_under_year, verdict

Z90 = 1.2816


def rank(evidence: Evidence, settings: ScoringSettings) -> tuple[Candidate, ...]:
    """Candidates of all services, best first by the median of their score; those with too little data come last.

    Deterministic for equal evidence and settings. A unit that a better, overlapping one makes pointless is left out.
    """
    priors = {work: updated(work, settings.finished.get(work, ())) for work in PRIORS}
    appraiser = Appraiser(priors, Stream(settings.seed, settings.draws), settings)
    appraisals = [
        appraiser.appraise(unit) for service in evidence.services for unit in units(service, settings.minimum_share)
    ]
    kept = undominated(sorted(appraisals, key=lambda appraisal: appraisal.order))
    in_top = _in_top(kept, settings.top)
    return tuple(
        _candidate(one.proposal, appraiser.worlds(one.proposal), chance, settings)
        for one, chance in zip(kept, in_top, strict=True)
    )


def _in_top(kept: Sequence[Appraisal], top: int) -> list[float]:
    """P(score among the `top` best of all candidates with enough data), over the shared draws."""
    result = [0.0] * len(kept)
    rivals = [i for i, appraisal in enumerate(kept) if not appraisal.unit.root.total_share.insufficient]
    if rivals:
        for i, chance in zip(rivals, among_best([kept[i].scores for i in rivals], top), strict=True):
            result[i] = chance
    return result


def among_best(scores: Sequence[Vector], top: int) -> list[float]:
    """How often each row is among the `top` largest of its column, as a part of all columns.

    Scores are cut at both ends, so many are equal: of those the first rows are taken.
    """
    table = np.stack(scores)
    places = min(top, len(table))
    last = np.partition(table, -places, axis=0)[-places]
    above, level = table > last, table == last
    room = places - above.sum(axis=0)
    return [float(chance) for chance in (above | (level & (level.cumsum(axis=0) <= room))).mean(axis=1)]


def _candidate(proposal: Proposal, worlds: Worlds, in_top: float, settings: ScoringSettings) -> Candidate:
    unit = proposal.unit
    decision, reason = verdict(proposal, worlds, settings)
    score = quantiles(worlds.score)
    return Candidate(
        service=unit.service.service,
        codebase=unit.service.codebase,
        language=unit.service.language,
        root=unit.root.function,
        functions=unit.functions,
        share=unit.root.total_share.interval,
        movable=quantiles(worlds.movable),
        native=unit.root.native,
        work_class=proposal.work.work,
        class_reason=proposal.work.reason,
        speedup=quantiles(worlds.speedup),
        service_speedup=quantiles(service_speedup(worlds.saved)),
        saved_core_hours=quantiles(worlds.core_hours) if worlds.core_hours is not None else None,
        saved_dollars=quantiles(worlds.dollars) if worlds.dollars is not None else None,
        effort_weeks=quantiles(worlds.weeks),
        value=quantiles(worlds.worth) if worlds.dollars is not None else None,
        score=score.p50,
        score_low=score.p10,
        score_high=score.p90,
        payback_under_year=payback_under_year(worlds, settings),
        in_top=in_top,
        driver=largest_driver(worlds),
        bridge=proposal.bridge,
        alternative=_alternative(proposal.option),
        verdict=decision,
        reason=reason,
        other_bridges=other_bridges(unit, proposal.bridge, proposal.work.work),
    )


def _alternative(option: Option) -> Alternative:
    return Alternative(
        name=option.name,
        speedup=_lognormal(option.mu, option.sigma),
        effort_weeks=_lognormal(option.effort_mu, EFFORT_SIGMA),
        reason=option.reason,
    )


def _lognormal(mu: float, sigma: float) -> Quantiles:
    low, middle, high = np.exp([mu - Z90 * sigma, mu, mu + Z90 * sigma])
    return Quantiles(float(low), float(middle), float(high))
