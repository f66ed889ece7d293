"""Measure against the truth: python -m tests.truth [--runs N] [--only shares|rates|units|deep|governed] …"""

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pivotscope.profile.language import Language
from pivotscope_agent.errors import MissingToolError
from pivotscope_agent.samplers import programs

from tests.truth.bars import Bar, native_bar, rate_bar, share_bars, unit_bars
from tests.truth.comparison import FUNCTIONS, Row, summarise
from tests.truth.deep import DUTY as DEEP_DUTY
from tests.truth.deep import MINUTES, PIECE_MS, deep_bars, look, lose
from tests.truth.governed import governed_bars
from tests.truth.observe import Plan, Run, observe
from tests.truth.units import disturbed, keep_books, nothing

PARTS = ("shares", "rates", "units", "deep", "governed")
RATES = (10, 20, 100)
SIDE_BY_SIDE = 2
DUTY = 0.65
RATE_DUTY = 0.4


def main() -> int:
    """Run what was asked for and print it; 1 where a bar was missed."""
    options = argparse.ArgumentParser(prog="python -m tests.truth", description=__doc__)
    options.add_argument("--runs", type=int, default=20, help="runs a language")
    options.add_argument("--windows", type=int, default=12, help="windows a run")
    options.add_argument("--seconds", type=int, default=2, help="length of a window")
    options.add_argument("--rate", type=int, default=200, help="looks a second")
    options.add_argument("--language", choices=("python", "ruby"), action="append")
    options.add_argument("--only", choices=PARTS, action="append")
    options.add_argument("--minutes", type=float, default=MINUTES, help="how long the deep program is watched")
    options.add_argument("--duty", type=float, default=DEEP_DUTY, help="part of a core that the deep program uses")
    options.add_argument("--piece", type=float, default=PIECE_MS, help="ms that the deep program works at a time")
    options.add_argument("--rounds", type=int, default=60, help="rounds of 8 s with and without an agent, 0: none")
    chosen = options.parse_args()
    languages = [Language(name) for name in chosen.language or _languages()]
    parts = chosen.only or PARTS[:3]
    bars: list[Bar] = []
    if "shares" in parts:
        looks = Looks(chosen.windows, chosen.seconds, chosen.rate)
        bars += _shares(languages, chosen.runs, looks)
    if "rates" in parts:
        bars += [_rates(language) for language in languages]
    if "units" in parts:
        bars += unit_bars(keep_books(nothing), keep_books(disturbed))
    if "governed" in parts:
        bars += governed_bars()
    if "deep" in parts:
        load = chosen.duty, chosen.piece
        bars += deep_bars(look(chosen.minutes, *load), lose(chosen.rounds, *load) if chosen.rounds else None)
    width = max(len(bar.claim) for bar in bars)
    _say("")
    for bar in bars:
        _say(f"{'held  ' if bar.held else 'MISSED'}  {bar.claim:{width}}  {bar.measured}")
    return 0 if all(bar.held for bar in bars) else 1


def _languages() -> list[str]:
    try:
        programs.find("rbspy")
    except MissingToolError as problem:
        _say(f"Python alone is measured: {problem}")
        return ["python"]
    if shutil.which("ruby") is None:
        _say("Python alone is measured: there is no ruby on PATH")
        return ["python"]
    return ["python", "ruby"]


@dataclass(frozen=True, slots=True)
class Looks:
    """How each run is looked at: so many windows, of so many seconds, at a rate in Hz."""

    windows: int
    seconds: int
    rate: int

    def plan(self, language: Language, seed: int, native_every: int = 0) -> Plan:
        return Plan(language, seed, self.windows, self.seconds, self.rate, DUTY, native_every=native_every)


def _shares(languages: Sequence[Language], count: int, looks: Looks) -> list[Bar]:
    bars: list[Bar] = []
    for language in languages:
        runs: list[Run] = []
        began = time.monotonic()
        for first in range(0, count, SIDE_BY_SIDE):
            seeds = range(first, min(count, first + SIDE_BY_SIDE))
            runs += observe([looks.plan(language, 100 + seed) for seed in seeds])
            _progress(f"{language}: {len(runs)} of {count} runs")
        rows = summarise(runs)
        _table(language, runs, rows, time.monotonic() - began)
        bars += share_bars(language, rows)
    if Language.PYTHON in languages:
        bars.append(native_bar(observe([looks.plan(Language.PYTHON, 99, native_every=2)])[0]))
    return bars


def _rates(language: Language) -> Bar:
    runs = observe([Plan(language, 50, rate_hz=rate, duty=RATE_DUTY) for rate in RATES])
    return rate_bar(language, dict(zip(RATES, runs, strict=True)))


def _table(language: Language, runs: Sequence[Run], rows: Sequence[Row], seconds: float) -> None:
    samples = sum(run.samples for run in runs) / len(runs)
    cpu = sum(run.estimate.pool.attributed_ns for run in runs) / 1e9
    length = sum(end - begin for run in runs for begin, end in run.spans) / 1e9
    late = sum(window.late for run in runs for window in run.windows)
    _say(
        f"\n{language}: {len(runs)} runs of {len(runs[0].windows)} windows, {samples:.0f} samples each, "
        f"{cpu / length:.0%} of a core used, {late} late warnings, {seconds:.0f} s"
    )
    heads = ("function", "what it is", "truth", "estimate", "covered", "mean error", "bias", "half width", "movable")
    _say(f"{heads[0]:14}{heads[1]:24}" + "".join(f"{head:>12}" for head in heads[2:]))
    for row in rows:
        points = (row.mean_error, row.bias, row.half_width, row.movable)
        _say(
            f"{row.function:14}{FUNCTIONS[row.function]:24}{row.truth:12.1%}{row.estimate:12.1%}"
            f"{f'{row.covered}/{row.runs}':>12}" + "".join(f"{100 * value:12.2f}" for value in points)
        )


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text} ")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
