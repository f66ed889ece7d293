"""What must hold, and whether it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pivotscope.profile.language import Language

from tests.truth.comparison import Row, compare, short
from tests.truth.observe import Run
from tests.truth.units import Books

COVERAGE = 0.9
"""18 of 20."""
HOT = "settle"
"""The function that uses the most: the one that a plan would name first."""
MEAN_ERROR = 0.02
NOT_MOVABLE = 0.02
ONCE = 0.15
"""Counted twice, the recursive function would have twice its truth or more; it calls itself 20 times."""
UNITS = 0.02
UNATTRIBUTED = 0.05


@dataclass(frozen=True, slots=True)
class Bar:
    """A claim, what was measured, and whether it held."""

    claim: str
    measured: str
    held: bool


def share_bars(language: Language, rows: Sequence[Row]) -> list[Bar]:
    """Coverage and mean error over the runs of one language."""
    by_name = {row.function: row for row in rows}
    worked = [row for row in rows if row.function != "rest"]
    hot = by_name[HOT]
    covered, runs = sum(row.covered for row in worked), sum(row.runs for row in worked)
    error = sum(row.mean_error for row in worked) / len(worked)
    recursion = by_name["descend"].estimate / by_name["descend"].truth / (hot.estimate / hot.truth)
    return [
        Bar(f"{language}: truth of `{HOT}` in its 95 % interval", f"{hot.covered} of {hot.runs}",
            hot.covered >= COVERAGE * hot.runs),
        Bar(f"{language}: truth in the interval, all working functions", f"{covered} of {runs}",
            covered >= COVERAGE * runs),
        Bar(f"{language}: mean error below 2 points", f"{100 * error:.2f} points", error < MEAN_ERROR),
        Bar(f"{language}: recursion counts once", f"{recursion:.2f} times as much as `{HOT}`, each against its truth",
            abs(recursion - 1.0) < ONCE),
        Bar(f"{language}: native time outside the lock is not movable", f"{100 * by_name['pack'].movable:.2f} points",
            by_name["pack"].movable < NOT_MOVABLE),
        Bar(f"{language}: sleep is not booked as CPU", f"{100 * by_name['rest'].estimate:.2f} points",
            by_name["rest"].estimate - by_name["rest"].truth < NOT_MOVABLE),
    ]  # fmt: skip


def native_bar(run: Run) -> Bar:
    """Native work under the lock, in a run with native windows."""
    scan = next(look for look in compare(run) if look.function == "scan")
    return Bar(
        f"{run.plan.language}: native time under the lock is not movable",
        f"{100 * scan.movable:.2f} of {100 * scan.estimate:.1f} points",
        scan.movable < NOT_MOVABLE,
    )


def rate_bar(language: Language, runs: Mapping[int, Run]) -> Bar:
    """CPU-seconds at several rates: every two intervals of a function overlap. Of 15 pairs one may fail by chance:
    two true intervals miss each other in 1 of 180 cases, so more than one of 15 in 1 of 300 runs.
    """
    apart = pairs = 0
    for low, high in combinations(sorted(runs), 2):
        cpu = [
            {short(name): row.total_ns for name, row in runs[rate].estimate.functions.items()} for rate in (low, high)
        ]
        for name in ("settle", "price_orders", "descend", "pack", "scan"):
            pairs += 1
            first, second = (found.get(name) for found in cpu)
            apart += first is None or second is None or first.low > second.high or second.low > first.high
    rates = ", ".join(map(str, sorted(runs)))
    return Bar(f"{language}: the same CPU-seconds at {rates} Hz", f"{pairs - apart} of {pairs} pairs", apart <= 1)


def unit_bars(undisturbed: Books, disturbed: Books) -> list[Bar]:
    """Conservation of CPU-seconds."""
    return [
        Bar("functions + unattributed = /proc, undisturbed", f"{100 * undisturbed.difference:+.2f} %",
            abs(undisturbed.difference) < UNITS),
        Bar("unattributed when nothing was killed", f"{100 * undisturbed.unattributed_share:.2f} %",
            undisturbed.unattributed_share < UNATTRIBUTED),
        Bar("functions + unattributed = /proc: gap, killed window, idle window",
            f"{100 * disturbed.difference:+.2f} % ({100 * disturbed.unattributed_share:.1f} % unattributed)",
            abs(disturbed.difference) < UNITS),
    ]  # fmt: skip
