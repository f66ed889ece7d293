"""Two arms in, a comparison out: the one entry."""

import numpy as np
from pivotscope.profile.metric import MetricRole

from pivotscope_collector.errors import UsageError
from pivotscope_collector.impact.arm import Arm
from pivotscope_collector.impact.catalogue import METRICS, OPTIONAL, Family, Metric
from pivotscope_collector.impact.comparison import ArmSummary, Comparison, MetricResult, Missing
from pivotscope_collector.impact.effect import Effect
from pivotscope_collector.impact.grade import Design, Grade, claim, grade
from pivotscope_collector.impact.holm import holm
from pivotscope_collector.impact.measures import SUBTREE, Measured, measure, sources
from pivotscope_collector.impact.pairing import Pairing, pair
from pivotscope_collector.impact.sample_ratio import SampleRatio, sample_ratio
from pivotscope_collector.impact.speedup import measured_speedup
from pivotscope_collector.impact.stages import find_stages
from pivotscope_collector.impact.verdict import Judgement, Verdict, judge

ALPHA = 0.05


def compare(a: Arm, b: Arm, design: Design | None = None) -> Comparison:
    """Hold B against A, metric by metric, each with an interval and a verdict.

    Blocks of arms that ran at the same time are paired, within the stages of the rollout; others are compared
    unpaired and graded observational. A broken sample ratio makes every verdict "not comparable". Raises UsageError
    for a design that contradicts itself.
    """
    design = design or Design()
    _check(design)
    boundaries = design.boundaries_ns or _visible_stages(a, b)
    pairing = pair(a, b, boundaries)
    ratio = _sample_ratio(a, b, pairing, design)
    graded = grade(paired=pairing.paired, randomised=design.randomised)
    rows = [(metric, measured) for metric in METRICS for measured in measure(metric, a, b, pairing)]
    adjusted = holm(
        {
            _key(metric, measured): measured.outcome.p_value
            for metric, measured in rows
            if isinstance(measured.outcome, Effect)
            and metric.name != design.primary
            and not _overridden(metric, ratio, pairing)
        }
    )
    results = tuple(
        _result(
            metric,
            measured,
            design,
            graded,
            overridden=_overridden(metric, ratio, pairing),
            holm_p=adjusted.get(_key(metric, measured)),
        )
        for metric, measured in rows
    )
    return Comparison(
        a=_summary(a),
        b=_summary(b),
        paired=pairing.paired,
        block_seconds=a.grid.block_ns / 1e9,
        blocks=int(min(pairing.a.size, pairing.b.size)),
        blocks_left_out=pairing.left_out,
        stages_ns=boundaries if pairing.paired else (),
        stages_given=bool(design.boundaries_ns),
        shared_process=a.shared_process or b.shared_process,
        grade=graded,
        sample_ratio=ratio,
        metrics=results,
        speedup=measured_speedup(_function_effect(results)),
        missing=_missing(a, b),
    )


def _check(design: Design) -> None:
    if design.primary not in {m.name for m in METRICS}:
        raise UsageError(f"primary metric {design.primary!r} is not one of {', '.join(m.name for m in METRICS)}")
    if len(design.planned) not in {0, 1, len(design.boundaries_ns) + 1}:
        raise UsageError(
            f"{len(design.planned)} planned shares for {len(design.boundaries_ns) + 1} stages: "
            "give one for all, or one a stage"
        )
    if any(not 0 <= share <= 1 for share in design.planned):
        raise UsageError(f"planned shares of B must lie between 0 and 1, not {design.planned}")


def _visible_stages(a: Arm, b: Arm) -> tuple[int, ...]:
    pairing = pair(a, b)
    requests_a, requests_b = a.requests(), b.requests()
    if not pairing.paired or requests_a is None or requests_b is None:
        return ()
    cuts = find_stages(requests_a[pairing.a], requests_b[pairing.b])
    return tuple(int(a.grid.start_ns + pairing.a[cut] * a.grid.block_ns) for cut in cuts)


def _sample_ratio(a: Arm, b: Arm, pairing: Pairing, design: Design) -> SampleRatio | None:
    requests_a, requests_b = a.requests(), b.requests()
    if not design.planned or requests_a is None or requests_b is None:
        return None
    return sample_ratio(requests_a, requests_b, pairing, design.planned)


def _key(metric: Metric, measured: Measured) -> str:
    return f"{metric.name}/{measured.source}"


def _result(
    metric: Metric,
    measured: Measured,
    design: Design,
    graded: Grade,
    *,
    overridden: Judgement | None,
    holm_p: float | None,
) -> MetricResult:
    judgement = overridden or judge(measured.outcome, metric)
    effect = measured.outcome if isinstance(measured.outcome, Effect) else None
    notes = [*measured.notes, *(effect.notes if effect else ())]
    called = judgement.verdict in {Verdict.BETTER, Verdict.WORSE}
    if called and holm_p is not None and holm_p > ALPHA:
        notes.append(f"not to be promoted: p = {holm_p:.2g} after Holm's correction for all secondary metrics")
    if called and metric.family is Family.RATE:
        notes.append("throughput follows demand unless the service was saturated")
    return MetricResult(
        metric=metric,
        source=measured.source,
        unit=measured.unit,
        effect=effect,
        judgement=judgement,
        claim=claim(graded, business=metric.business),
        primary=metric.name == design.primary,
        holm_p=holm_p,
        notes=tuple(notes),
    )


def _overridden(metric: Metric, ratio: SampleRatio | None, pairing: Pairing) -> Judgement | None:
    if ratio is not None and not ratio.ok:
        text = f"sample ratio mismatch: traffic did not arrive as planned (p = {ratio.p_value:.1g})"
        return Judgement(Verdict.NOT_COMPARABLE, f"{text}, so the assignment is broken")
    if metric.family is Family.RATE and pairing.paired:
        return Judgement(Verdict.NOT_COMPARABLE, "the split, not the code, decides how many requests an arm gets")
    return None


def _function_effect(results: tuple[MetricResult, ...]) -> Effect | None:
    return next((r.effect for r in results if r.source == SUBTREE), None)


def _summary(arm: Arm) -> ArmSummary:
    requests = arm.requests()
    functions = arm.subtree.functions if arm.subtree else ()
    total = None if requests is None else float(np.nansum(requests))
    return ArmSummary(arm.label, arm.grid.start_ns, arm.grid.end_ns, arm.grid.count, total, functions, arm.problems)


def _missing(a: Arm, b: Arm) -> tuple[Missing, ...]:
    roles = sorted({role for m in METRICS for role in (m.role, m.per) if role and role not in OPTIONAL})
    found = []
    for role in roles:
        has = sources((a, b), role)
        if role is MetricRole.REQUESTS and a.requests() is not None and b.requests() is not None:
            continue
        lacking = tuple(label for label, there in zip("AB", has, strict=True) if not there)
        if lacking:
            found.append(Missing(role.value, lacking, _advice(role)))
    return tuple(found)


def _advice(role: MetricRole) -> str:
    return (
        f"if the application has such a metric, add a [[metrics.endpoint.series]] with role = {role.value!r} "
        "to the agent's configuration; a counter that was never used has no series yet"
    )
