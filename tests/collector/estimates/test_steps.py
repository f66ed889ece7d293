"""One function step by step is what `attribute` says of it in every step alone."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from pivotscope.profile.window import Mode
from pivotscope_collector.estimates.attribution import attribute
from pivotscope_collector.estimates.pool import FunctionSums, Pool, PoolSums
from pivotscope_collector.estimates.steps import StepCpu, attribute_steps

from tests.collector.estimates.test_attribution import MORE, PURE, PYTHON, RELEASING, RUBY, UNDER_LOCK, Process, observe

PROCESS = Process({PURE: 0.3, MORE: 0.1, UNDER_LOCK: 0.1}, {RELEASING: 0.2}, sleepers=2)
STEPS = 24


def drawn(function: int) -> tuple[dict[int, list[PoolSums]], dict[int, list[FunctionSums]]]:
    """Steps with some of the pools and modes each; now and then a mode has no sample, and none of the function."""
    random = np.random.default_rng(5)
    pools: dict[int, list[PoolSums]] = {}
    functions: dict[int, list[FunctionSums]] = {}
    for step in range(STEPS):
        for pool in (PYTHON, replace(PYTHON, version="2"), RUBY):
            modes = [mode for mode in (Mode.GIL, Mode.ACTIVE, Mode.NATIVE) if random.random() < 0.7]
            rows, found = observe(PROCESS, step, {mode: int(random.integers(1, 30)) for mode in modes}, pool=pool)
            empty = {mode for mode in modes if random.random() < 0.2}
            pools.setdefault(step, []).extend(
                replace(row, samples=0, x=0.0, xx=0.0) if row.mode in empty else row for row in rows
            )
            functions.setdefault(step, []).extend(
                row for row in found if row.function == function and row.mode not in empty and random.random() < 0.8
            )
    return pools, functions


def alone(at: int, rows: Iterable[PoolSums], found: Iterable[FunctionSums]) -> dict[tuple[int, Pool], StepCpu]:
    attribution = attribute(list(rows), list(found))
    seen = {one.pool: one for one in attribution.functions}
    steps = {}
    for pool in attribution.pools:
        step = StepCpu(at, pool.pool, pool.attributed_ns, pool.unattributed_ns, pool.windows)
        if (one := seen.get(pool.pool)) is not None:
            step = replace(step, samples=one.samples, clusters=one.clusters, total_ns=one.total_ns)
        steps[at, pool.pool] = step
    return steps


@pytest.mark.parametrize("function", [PURE, RELEASING, UNDER_LOCK])
def test_each_step_is_attributed_as_it_would_be_alone(function: int) -> None:
    pools, functions = drawn(function)
    expected = {key: one for at in pools for key, one in alone(at, pools[at], functions[at]).items()}
    found = attribute_steps(pools, functions)
    assert {(one.at, one.pool) for one in found} == set(expected)
    for one in found:
        other = expected[one.at, one.pool]
        assert replace(one, total_ns=None) == replace(other, total_ns=None)
        assert (one.total_ns is None) == (other.total_ns is None)
        if one.total_ns is not None and other.total_ns is not None:
            for name in ("estimate", "low", "high"):
                assert getattr(one.total_ns, name) == pytest.approx(getattr(other.total_ns, name), rel=1e-9)


def test_nothing_gives_nothing() -> None:
    assert attribute_steps({}, {}) == []
