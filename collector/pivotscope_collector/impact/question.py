"""What is asked: two arms of one service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pivotscope.profile.function import Function
from pivotscope.profile.metric import MetricSeries

from pivotscope_collector.errors import UsageError
from pivotscope_collector.impact.grade import Design

Columns = dict[str, list[Any]]
Where = Mapping[str, object]
"""service, those given of environment, version and variant, and since_ns, until_ns (unix nanoseconds)."""


class Source(Protocol):
    """Where observations come from. Every call blocks; a failure is a StoreError."""

    def series(self, where: Where) -> Sequence[tuple[int, MetricSeries]]:
        """The metric series of an arm that have a role, with their ids."""

    def points(self, where: Where, series_ids: Sequence[int], step_ns: int) -> Columns:
        """series_id, at_ns, start_ns, value, buckets in order of series and time; the last one a step (0: all)."""

    def cpu(self, where: Where, block_ns: int, language: str) -> Columns:
        """Columns block (from since_ns on), cpu_ns, covered_ns, processes; CPU of windows spread over their blocks."""

    def processes(self, where: Where) -> Columns:
        """identity, mean_bytes, peak_bytes of each process."""

    def functions(self, where: Where, name: str) -> Mapping[int, Function]:
        """Sampled functions of that qualified name, or whose name ends with it."""

    def subtree(
        self, where: Where, block_ns: int, language: str, target: Sequence[int], other: Sequence[int]
    ) -> Columns:
        """block, mode, windows, samples, cpu_ns, delay_ns and the moments y, x, yy, xy, xx over complete windows.

        y counts samples with a function of `target` and none of `other` on the stack.
        """


@dataclass(frozen=True, slots=True)
class Side:
    """One arm: its label, its time in unix nanoseconds, and the version or variant that it is; empty: without one."""

    label: str
    since_ns: int
    until_ns: int
    version: str | None = None
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """B against A within one service. `function_a` and `function_b` stand for the arms that share a process.

    `environment` is None for all of them, empty for windows without one.
    """

    service: str
    environment: str | None
    a: Side
    b: Side
    function_a: str = ""
    function_b: str = ""
    design: Design = field(default_factory=Design)

    @property
    def concurrent(self) -> bool:
        """Whether both arms are looked for in the same stretch of time."""
        return (self.a.since_ns, self.a.until_ns) == (self.b.since_ns, self.b.until_ns)

    def where(self, side: Side) -> dict[str, object]:
        """Bound values that select one side."""
        names = {"environment": self.environment, "version": side.version, "variant": side.variant}
        return {
            "service": self.service,
            **{name: value for name, value in names.items() if value is not None},
            "since_ns": side.since_ns,
            "until_ns": side.until_ns,
        }


def check(question: Question) -> None:
    """Raise UsageError for a question that cannot be answered."""
    if not question.service:
        raise UsageError("name the service whose arms are to be compared")
    if bool(question.function_a) != bool(question.function_b):
        raise UsageError("name a function for both arms, or for neither")
    for side in (question.a, question.b):
        if side.until_ns <= side.since_ns:
            raise UsageError(f"{side.label}: the range of time ends before it begins")
    a, b = question.a, question.b
    if question.concurrent and (a.version, a.variant) == (b.version, b.variant):
        raise UsageError(f"both arms are {a.label!r}: name two variants, two versions or two ranges of time")
    if not question.concurrent and max(a.since_ns, b.since_ns) < min(a.until_ns, b.until_ns):
        raise UsageError("the two ranges of time overlap")
