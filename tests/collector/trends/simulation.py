"""Series whose truth is known, and the rates at which verdicts on them are right."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pivotscope_collector.trends.fit import Kind
from pivotscope_collector.trends.series import Point
from pivotscope_collector.trends.trend import State, judge

START = 1_793_577_600
"""A Monday, 00:00 UTC."""


@dataclass(frozen=True)
class Scenario:
    """Points with sampling noise of deviation about 1, known for each, and what else moves them.

    `drift` is the deviation of an autoregression with φ = `phi`. `season` is the size of a daily wave and of the
    weekend. `missing` is the part of points that are not there. `blips` deployments disturb two points
    each, some points apart.
    """

    points: int
    step: int = 60
    phi: float = 0.0
    drift: float = 0.0
    season: float = 0.0
    missing: float = 0.0
    blips: int = 0


@dataclass(frozen=True)
class Rates:
    """Over runs with one step: how many were found, and of those, how many steps lay within their interval."""

    found: float
    placed: float


def simulate(random: np.random.Generator, scenario: Scenario, level: Callable[[int], float]) -> list[Point]:
    """One series about `level(index)`."""
    count = scenario.points
    windows = random.integers(20, 60, count)
    variance = 36.0 / windows
    apart = count // max(1, scenario.blips)
    disturbed = {
        blip * apart + int(random.integers(0, apart - 6)) + k for blip in range(scenario.blips) for k in (0, 1)
    }
    wave, found = 0.0, []
    for index in range(count):
        fresh = random.standard_normal()
        wave = fresh if index == 0 else scenario.phi * wave + np.sqrt(1.0 - scenario.phi**2) * fresh
        at = START + index * scenario.step
        seasonal = np.sin(2.0 * np.pi * at / 86_400) + (((at // 86_400) + 3) % 7 >= 5)
        value = level(index) + scenario.drift * wave + scenario.season * seasonal
        value += np.sqrt(variance[index]) * random.standard_normal() + 8.0 * (index in disturbed)
        if random.random() >= scenario.missing:
            found.append(Point(at, float(value), float(variance[index]), int(windows[index]), 100))
    return found


def alarms(scenario: Scenario, runs: int, seed: int) -> float:
    """The part of series without a change that are not called steady."""
    random = np.random.default_rng(seed)
    found = [judge(simulate(random, scenario, lambda _: 30.0), scenario.step).state for _ in range(runs)]
    return sum(state is not State.STEADY for state in found) / runs


def steps(scenario: Scenario, size: float, runs: int, seed: int) -> Rates:
    """Over series with a step up of `size` at a random place in their middle half."""
    random = np.random.default_rng(seed)
    found = placed = 0
    for _ in range(runs):
        at = int(random.integers(scenario.points // 4, 3 * scenario.points // 4))
        points = simulate(random, scenario, lambda index, at=at: 30.0 + size * (index >= at))  # type: ignore[misc]
        changes = [one for one in judge(points, scenario.step).changes if one.kind is Kind.STEP]
        found += bool(changes)
        placed += any(one.earliest <= START + at * scenario.step <= one.latest for one in changes)
    return Rates(found / runs, placed / max(1, found))


def slopes(scenario: Scenario, size: float, runs: int, seed: int) -> tuple[float, float]:
    """The part of series rising by `size` a step that are called so, and how many of their intervals hold it."""
    random = np.random.default_rng(seed)
    found = inside = 0
    for _ in range(runs):
        verdict = judge(simulate(random, scenario, lambda index: 30.0 + size * index), scenario.step)
        if verdict.state is State.RISING and verdict.slope is not None:
            found += 1
            inside += verdict.slope.low <= size / scenario.step <= verdict.slope.high
    return found / runs, inside / max(1, found)


ALARMS = 0.05
"""The stated rate of false alarms."""

NULLS = {
    "an hour of quiet minutes": Scenario(60),
    "an hour of drift, φ .8": Scenario(60, phi=0.8, drift=2.0),
    "an hour of slow drift, φ .9": Scenario(60, phi=0.9, drift=2.0),
    "twenty minutes of drift, φ .8": Scenario(20, phi=0.8, drift=2.0),
    "hours, three in ten missing": Scenario(80, 3600, phi=0.6, drift=1.5, missing=0.3),
    "three weeks with days and weekends": Scenario(84, 21_600, phi=0.6, drift=1.0, season=3.0),
    "two months with weekends": Scenario(60, 86_400, phi=0.5, drift=1.0, season=3.0),
    "hours with three deployments": Scenario(60, 3600, phi=0.5, drift=1.0, blips=3),
}

STEPS = {
    "an hour of quiet minutes": (Scenario(60), 2.5, 0.85),
    "an hour of drift, φ .5": (Scenario(60, phi=0.5, drift=1.0), 4.5, 0.8),
    "three weeks with days and weekends": (Scenario(84, 21_600, phi=0.5, drift=1.0, season=3.0), 4.0, 0.85),
    "two months with weekends, some days missing": (Scenario(60, 86_400, season=2.0, missing=0.1), 2.5, 0.8),
    "six weeks with weekends and drift": (Scenario(42, 86_400, phi=0.4, drift=0.7, season=2.0, missing=0.05), 4.0, 0.8),
}
"""Scenario, size of the step in deviations of sampling, and the stated part that is found."""

SLOPES = {
    "hours": (Scenario(60, 3600), 0.08, 0.85),
    "three weeks with days and weekends": (Scenario(84, 21_600, phi=0.4, drift=0.7, season=2.0), 0.08, 0.85),
}
"""Scenario, slope a step, and the stated part that is found."""
