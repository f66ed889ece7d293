"""Batches of many streams, checked and decoded together: fast where all is well, exact where something is not."""

from collections.abc import Sequence
from dataclasses import dataclass

from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.ingest.decode import Received, decode
from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Refusal, invalid
from pivotscope_collector.ingest.validate import check
from pivotscope_collector.store.rows import Rows


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows of the batches that can be stored, and a refusal (or None) for each batch, in their order."""

    rows: Rows
    refusals: list[Refusal | None]


def gather(received: Sequence[Received], limits: Limits) -> Gathered:
    """Check and decode. A batch that is refused hurts no other."""
    if all(_plain(one.batch) for one in received):
        rows = decode(received, limits)
        if rows is not None:
            return Gathered(rows, [None] * len(received))
    refusals = [_check(one, limits) for one in received]
    good = [one for one, refusal in zip(received, refusals, strict=True) if refusal is None]
    return Gathered(decode(good, None) or Rows(), refusals)


def _check(one: Received, limits: Limits) -> Refusal | None:
    try:
        return check(one.batch, one.dictionary, limits, one.now_ns)
    except (ValueError, ArithmeticError, LookupError) as error:
        # What no check foresaw must not come again and again.
        return invalid(f"cannot be read: {error!r}")


def _plain(batch: pb.Batch) -> bool:
    """Whether windows are all that it brings."""
    return not (batch.points or batch.files or batch.codebases)
