"""What to do with a candidate, and why."""

import numpy as np

from pivotscope_collector.estimates.share import MINIMUM_CLUSTERS
from pivotscope_collector.scoring.candidate import Crossing, Verdict
from pivotscope_collector.scoring.montecarlo import Vector, quantiles
from pivotscope_collector.scoring.proposal import Proposal
from pivotscope_collector.scoring.settings import ScoringSettings
from pivotscope_collector.scoring.value import Worlds

SHARE_A_WEEK = 0.01
"""Without money, saving this part of a service's CPU for a week's work is worth it."""

NEARLY = 0.8
"""An alternative that saves this part of what the move saves replaces it, if it costs less."""


def payback_under_year(worlds: Worlds, settings: ScoringSettings) -> float | None:
    """P(a year's saving covers the effort); None without money."""
    if worlds.dollars is None:
        return None
    return float(np.mean(worlds.dollars >= worlds.weeks * settings.engineer_week))


def verdict(proposal: Proposal, worlds: Worlds, settings: ScoringSettings) -> tuple[Verdict, str]:
    """The verdict and its reason, in this order: too little data, an alternative that does as well, worth it or not."""
    share = proposal.unit.root.total_share
    if share.insufficient:
        seen = share.clusters
        return Verdict.INSUFFICIENT_DATA, f"seen in {seen} windows; an interval needs {MINIMUM_CLUSTERS}"
    pays, gain = _pays(worlds, worlds.saved, worlds.weeks, settings)
    other_pays, other_gain = _pays(worlds, worlds.alternative_saved, worlds.alternative_weeks, settings)
    nearly = float(np.mean(worlds.alternative_saved >= NEARLY * worlds.saved))
    cheaper = float(np.median(worlds.alternative_saved / worlds.alternative_weeks)) > float(
        np.median(worlds.saved / worlds.weeks)
    )
    if other_pays and ((nearly >= 0.5 and cheaper) or not pays):
        instead = f"saves as much with probability {nearly:.0%}" if pays else f"pays where a move does not ({gain})"
        return Verdict.USE_ALTERNATIVE, f"{proposal.option.name} {instead}: {other_gain}"
    if pays:
        return Verdict.WORTH_IT, gain
    if float(np.median(worlds.saved)) <= 0.0 or proposal.bridge.crossing is Crossing.RED:
        return Verdict.NOT_WORTH_IT, f"crossing the boundary costs what native code would save; {gain}"
    return Verdict.NOT_WORTH_IT, gain


def _pays(worlds: Worlds, saved: Vector, weeks: Vector, settings: ScoringSettings) -> tuple[bool, str]:
    part, time = quantiles(saved), quantiles(weeks)
    effort = f"{time.p50:.1f} weeks ({time.p10:.1f} to {time.p90:.1f})"
    if worlds.dollars is None:
        each = float(np.median(saved / weeks))
        return each >= SHARE_A_WEEK, f"{part.p50:.1%} of CPU ({part.p10:.1%} to {part.p90:.1%}) for {effort}"
    dollars = worlds.dollars * np.divide(saved, worlds.saved, out=np.zeros_like(saved), where=worlds.saved != 0.0)
    chance = float(np.mean(dollars >= weeks * settings.engineer_week))
    money = quantiles(dollars)
    return chance >= 0.5, (
        f"${money.p50:,.0f} a year (${money.p10:,.0f} to ${money.p90:,.0f}) for {effort}, "
        f"pays back within a year with probability {chance:.0%}"
    )
