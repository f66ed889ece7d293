"""Pools that are split at once, from sums in parts: each gets what it gets alone, and as one."""

from dataclasses import replace

import pytest
from pivotscope.profile.window import Mode
from pivotscope_collector.estimates.attribution import attribute, attribute_columns
from pivotscope_collector.estimates.columns import SUMS, columns_of
from pivotscope_collector.estimates.pool import FunctionSums, PoolSums

from tests.collector.estimates.test_attribution import (
    ASLEEP,
    BOTH,
    MORE,
    PURE,
    PYTHON,
    RELEASING,
    ROOT,
    Process,
    observe,
)


def test_pools_that_are_split_together_get_what_they_get_alone() -> None:
    """Three pools in the same modes, of which none has seen the same functions, and one in other modes."""
    process = Process({PURE: 0.4, MORE: 0.2}, {RELEASING: 0.3}, sleepers=3)
    pools: list[list[PoolSums]] = []
    functions: list[list[FunctionSums]] = []
    for number, missing in enumerate((MORE, RELEASING, ASLEEP)):
        found = observe(process, number, {Mode.GIL: 20, Mode.ACTIVE: 9}, pool=replace(PYTHON, version=str(number)))
        pools.append(found[0])
        functions.append([row for row in found[1] if row.function != missing or (row.mode is Mode.GIL and number == 1)])
    only_gil = observe(process, 9, {Mode.GIL: 12}, pool=replace(PYTHON, version="9"))
    pools.append(only_gil[0])
    functions.append(only_gil[1])
    alone = [attribute(some, rows) for some, rows in zip(pools, functions, strict=True)]
    together = attribute([row for some in pools for row in some], [row for some in functions for row in some])
    assert together.pools == tuple(pool for one in alone for pool in one.pools)
    expected = {(row.pool, row.function): row for one in alone for row in one.functions}
    assert {(row.pool, row.function) for row in together.functions} == set(expected)
    for row in together.functions:
        other = expected[row.pool, row.function]
        assert (row.samples, row.native_known, row.clusters) == (other.samples, other.native_known, other.clusters)
        for name in ("self_ns", "total_ns", "native_ns"):
            for bound in ("estimate", "low", "high"):
                assert getattr(getattr(row, name), bound) == pytest.approx(
                    getattr(getattr(other, name), bound), rel=1e-9
                )


def test_parts_of_pools_add_up_to_what_they_are_as_one() -> None:
    """The same windows as sums over one range, and as sums over two."""
    process = Process({PURE: 0.4, MORE: 0.2}, {RELEASING: 0.3})
    first, second = (observe(process, seed, BOTH) for seed in (1, 2))
    pools = [one + other for one, other in zip(first[0], second[0], strict=True)]
    halves = [
        columns_of([row for row in some[1] if row.function != left]) for some, left in ((first, MORE), (second, -1))
    ]
    parts = {PYTHON: {mode: [*halves[0][PYTHON][mode], *halves[1][PYTHON][mode]] for mode in BOTH}}
    summed = {(row.mode, row.function): row for row in first[1] if row.function != MORE}
    whole = [_added(row, summed.get((row.mode, row.function))) for row in second[1]]
    chosen = [(replace(PYTHON, version=""), key) for key in (PURE, MORE, ROOT)]
    found, expected = (attribute_columns(pools, some).functions(chosen) for some in (parts, columns_of(whole)))
    assert [row.samples for row in found] == [row.samples for row in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.self_ns.low == pytest.approx(other.self_ns.low)
        assert one.total_ns.high == pytest.approx(other.total_ns.high)


def _added(row: FunctionSums, other: FunctionSums | None) -> FunctionSums:
    if other is None:
        return row
    return replace(row, **{name: getattr(row, name) + getattr(other, name) for name in SUMS})
