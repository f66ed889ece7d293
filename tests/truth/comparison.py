"""Runs against their truth: coverage of the intervals, errors, and what is booked as movable."""

from collections.abc import Sequence
from dataclasses import dataclass

from pivotscope_collector.estimates.pool import FunctionCpu

from tests.truth.observe import Run

FUNCTIONS = {
    "settle": "a method",
    "price_orders": "a function",
    "descend": "recursive",
    "pack": "native, lock released",
    "scan": "native under the lock",
    "rest": "sleeps",
}
"""Named work of the programs, without the class, and what is special about it."""


@dataclass(frozen=True, slots=True)
class Look:
    """One function in one run, as parts of the process's CPU. `movable` is its total less what ran in native code."""

    function: str
    truth: float
    estimate: float
    low: float
    high: float
    movable: float

    @property
    def covered(self) -> bool:
        """Whether the 95 % interval holds the truth."""
        return self.low <= self.truth <= self.high

    @property
    def error(self) -> float:
        """Estimate less truth."""
        return self.estimate - self.truth


@dataclass(frozen=True, slots=True)
class Row:
    """One function over all runs of a language."""

    function: str
    runs: int
    covered: int
    truth: float
    estimate: float
    mean_error: float
    bias: float
    half_width: float
    movable: float


def compare(run: Run) -> list[Look]:
    """All named functions of one run. One that was never seen has an interval from 0 to 0."""
    result = run.estimate
    rows = {short(name): row for name, row in result.functions.items()}
    truth = {short(name): value for name, value in run.truth_shares.items()}
    return [_look(name, truth[name], rows.get(name), result.pool.attributed_ns) for name in FUNCTIONS]


def summarise(runs: Sequence[Run]) -> list[Row]:
    """A row a function."""
    looks = [look for run in runs for look in compare(run)]
    return [_row([look for look in looks if look.function == name]) for name in FUNCTIONS]


def short(name: str) -> str:
    """`settle` for `Ledger.settle` and `Ledger#settle`."""
    return name.replace("#", ".").rpartition(".")[2]


def _look(name: str, truth: float, row: FunctionCpu | None, whole: float) -> Look:
    if row is None:
        return Look(name, truth, 0.0, 0.0, 0.0, 0.0)
    share = row.total_share
    return Look(
        name, truth, share.estimate, share.low, share.high, (row.total_ns.estimate - row.native_ns.estimate) / whole
    )


def _row(looks: Sequence[Look]) -> Row:
    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values)

    return Row(
        function=looks[0].function,
        runs=len(looks),
        covered=sum(look.covered for look in looks),
        truth=mean([look.truth for look in looks]),
        estimate=mean([look.estimate for look in looks]),
        mean_error=mean([abs(look.error) for look in looks]),
        bias=mean([look.error for look in looks]),
        half_width=mean([(look.high - look.low) / 2.0 for look in looks]),
        movable=mean([look.movable for look in looks]),
    )
