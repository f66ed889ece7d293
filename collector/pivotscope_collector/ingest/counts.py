"""How much is in a batch, by lengths alone: to be asked before anything goes over its parts. Pure."""

from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.ingest.limits import Limits
from pivotscope_collector.ingest.refusal import Refusal, too_large


def too_many(batch: pb.Batch, limits: Limits) -> Refusal | None:
    """The refusal of a batch with more parts, or functions in its files, than fit."""
    parts = len(batch.windows) + len(batch.points) + len(batch.files) + len(batch.codebases)
    if parts > limits.parts:
        return too_large(f"{parts} windows, points, files and codebases; at most {limits.parts} fit a batch")
    functions = _functions(batch)
    if functions > limits.functions:
        return too_large(f"{functions} functions of files; at most {limits.functions} fit a batch")
    return None


def rows(batch: pb.Batch) -> int:
    """Rows that it becomes, about; of a batch that has not too many parts."""
    samples = sum([len(window.stacks) or 1 for window in batch.windows])
    return 1 + samples + len(batch.points) + len(batch.files) + len(batch.codebases) + _functions(batch)


def _functions(batch: pb.Batch) -> int:
    files = batch.files
    return sum([len(file.functions) for file in files]) if files else 0
