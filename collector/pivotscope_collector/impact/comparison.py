"""A comparison: what was held against what, and what came out."""

from dataclasses import dataclass

from pivotscope_collector.estimates.share import Interval
from pivotscope_collector.impact.catalogue import Metric
from pivotscope_collector.impact.effect import Effect
from pivotscope_collector.impact.grade import Claim, Grade
from pivotscope_collector.impact.sample_ratio import SampleRatio
from pivotscope_collector.impact.verdict import Judgement


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """One arm in a report: its time in unix nanoseconds, what was counted, and what was odd about it."""

    label: str
    from_ns: int
    to_ns: int
    blocks: int
    requests: float | None
    functions: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MetricResult:
    """One metric's outcome. `source` is the application's name of it; `effect` is None where there was none to compute.

    `holm_p` is p corrected for all secondary metrics; None for the primary metric and where there is no p.
    """

    metric: Metric
    source: str
    unit: str
    effect: Effect | None
    judgement: Judgement
    claim: Claim
    primary: bool
    holm_p: float | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """A metric role that an arm lacks, and how to get it."""

    role: str
    arms: tuple[str, ...]
    advice: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole result of holding B against A."""

    a: ArmSummary
    b: ArmSummary
    paired: bool
    block_seconds: float
    blocks: int
    blocks_left_out: int
    stages_ns: tuple[int, ...]
    stages_given: bool
    shared_process: bool
    grade: Grade
    sample_ratio: SampleRatio | None
    metrics: tuple[MetricResult, ...]
    speedup: Interval | None
    missing: tuple[Missing, ...]
