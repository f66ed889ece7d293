"""Batches of many streams, checked and decoded together: fast where all is well, exact where something is not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pivotscope_collector.ingest.amend import amended
from pivotscope_collector.ingest.counts import too_many
from pivotscope_collector.ingest.decode import Received, decode
from pivotscope_collector.ingest.judge import Judged, Place, at_reception, judge, others
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Partial, Verdict
from pivotscope_collector.store.rows import Rows, merge


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows of what can be stored, the verdict on each batch in their order, and how many windows were corrected."""

    rows: Rows
    verdicts: list[Verdict]
    corrected: Counter[str] = field(default_factory=Counter)


def gather(received: Sequence[Received], limits: Limits, place: Place = at_reception) -> Gathered:
    """Check and decode. What is refused hurts nothing beside it. `place` may block, and raise StoreError."""
    if all(_plain(one) or _fit(one, limits) for one in received):
        rows = decode(received, limits)
        if rows is not None:
            return Gathered(rows, [None] * len(received))
    judged = _settled([_judged(one, limits) for one in received], limits, place)
    rows = merge(
        [
            decode([one.received for one in judged if one.clean]) or Rows(),
            *(amended(one, limits) for one in judged if not one.clean and one.refusal is None),
        ]
    )
    verdicts = [one.refusal or (Partial(one.parts) if one.parts else None) for one in judged]
    return Gathered(rows, verdicts, Counter(flag for one in judged for flag in one.flags.values()))


def _judged(one: Received, limits: Limits) -> Judged:
    """Only what is not plainly well comes before the judge."""
    if _plain(one) and decode([one], limits) is not None:
        return Judged(one)
    return judge(one, limits)


def _settled(judged: Sequence[Judged], limits: Limits, place: Place) -> list[Judged]:
    """Batches with times in doubt are judged as of when they first came: any other moment might find other flags."""
    doubtful = [one.astray for one in judged if one.doubtful]
    places = place(doubtful) if doubtful else {}
    return [
        judge(replace(one.received, now_ns=places[one.astray.batch_id]), limits) if one.doubtful else one
        for one in judged
    ]


def _plain(one: Received) -> bool:
    """Whether windows are all that it brings."""
    batch = one.batch
    return not (batch.points or batch.files or batch.codebases)


def _fit(one: Received, limits: Limits) -> bool:
    """Whether nothing is wrong with points and facts; looks at none where there are too many."""
    return not too_many(one.batch, limits) and not any(others(one, limits))
