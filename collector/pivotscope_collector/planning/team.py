"""Who does the work, and how carefully: what a plan's weeks are computed with."""

from dataclasses import dataclass

from pivotscope_collector.errors import UsageError


@dataclass(frozen=True, slots=True)
class Team:
    """`engineers` work at the same time, each on a file of their own.

    `first_functions` is the most to begin with, `watch_weeks` how long a wave is watched at full traffic,
    `parity_cases` how many inputs old and new code must agree on, `handover_weeks` what tuning, documents and training
    take for each unit moved. These are choices of a team, not measurements.
    """

    engineers: int = 1
    first_functions: int = 3
    watch_weeks: float = 2.0
    parity_cases: int = 10_000
    handover_weeks: float = 0.4

    def __post_init__(self) -> None:
        if self.engineers < 1:
            raise UsageError(f"engineers={self.engineers}: expected 1 or more")
        if not 1 <= self.first_functions <= 3:
            raise UsageError(f"first_functions={self.first_functions}: expected 1 to 3")
        if self.watch_weeks < 1.0 or self.handover_weeks < 0.0:
            raise UsageError(
                f"watch_weeks={self.watch_weeks}, handover_weeks={self.handover_weeks}: expected >= 1, >= 0"
            )

    def calendar_weeks(self, efforts: tuple[float, ...]) -> float:
        """Weeks until all of these are done: shared out evenly, but nothing is split between two people."""
        return max(sum(efforts) / self.engineers, max(efforts, default=0.0))
