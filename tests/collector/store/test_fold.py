"""Sums and moments of functions, against those of a loop over every sample."""

from collections import defaultdict

import numpy as np
import pytest
from pivotscope_collector.store import fold as folding
from pivotscope_collector.store.fold import Sampled, fold, shorten
from pivotscope_collector.store.membership import Membership

_STACKS = {11: [5, 3, 5], 12: [3], 13: [9, 5, 7, 7], 14: [8, 3], 15: [9, 8, 7, 5, 3]}
"""Functions of stacks, root first: with recursion, and one stack that is nothing but its leaf."""
_POOLS, _WINDOWS = 3, 40


def _membership() -> Membership:
    membership = Membership()
    # In two steps, so that functions are not in the order of their ids.
    for ids in ([13, 11], [15, 12, 14]):
        functions = [np.array(_STACKS[one], np.uint64) for one in ids]
        ends = np.cumsum([len(one) for one in functions]).astype(np.uint64)
        membership.add(np.array(ids, np.uint64), ends, np.concatenate(functions))
    return membership


def _sampled() -> Sampled:
    """Windows of some pools, of a few stacks each; stack 16 is not in the membership, one window has no period."""
    random = np.random.default_rng(5)
    stacks = [random.permutation(np.arange(11, 17))[: random.integers(1, 7)] for _ in range(_WINDOWS)]
    ends = np.cumsum([len(one) for one in stacks])
    counts = random.integers(1, 50, ends[-1]).astype(np.uint32)
    period = random.integers(4, 6, _WINDOWS).astype(np.float64) * 1e7
    period[7] = 0.0
    return Sampled(
        pool=random.integers(0, _POOLS, _WINDOWS),
        period=period,
        ends=ends,
        stack_ids=np.concatenate(stacks).astype(np.uint64),
        counts=counts,
        natives=counts // 3,
    )


def _looped(sampled: Sampled) -> dict[tuple[int, int], dict[str, float]]:
    """The definition, a sample at a time."""
    found: dict[tuple[int, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    begins = [0, *sampled.ends.tolist()]
    for window, (begin, end) in enumerate(zip(begins, sampled.ends.tolist(), strict=False)):
        period, x = sampled.period[window], sampled.period[window] * sampled.counts[begin:end].sum()
        own: dict[int, float] = defaultdict(float)
        total: dict[int, float] = defaultdict(float)
        for row in range(begin, end):
            functions = _STACKS.get(int(sampled.stack_ids[row]), [])
            count, native = int(sampled.counts[row]), int(sampled.natives[row])
            for function in set(functions):
                total[function] += count * period
                sums = found[int(sampled.pool[window]), function]
                sums["total"] += count
                sums["total_native"] += native
            for function in functions[-1:]:
                own[function] += count * period
                sums = found[int(sampled.pool[window]), function]
                sums["self"] += count
                sums["self_native"] += native
        for kind, values in (("self", own), ("total", total)):
            for function, y in values.items():
                sums = found[int(sampled.pool[window]), function]
                sums[f"{kind}_y"] += y
                sums[f"{kind}_yy"] += y**2
                sums[f"{kind}_xy"] += x * y
        for function in total:
            found[int(sampled.pool[window]), function]["windows"] += 1
    return found


@pytest.mark.parametrize(("cells", "members"), [(180_000, 1_000_000), (10, 1_000_000), (180_000, 12)])
def test_sums_are_those_of_a_loop_however_many_windows_are_added_up_at_once(
    monkeypatch: pytest.MonkeyPatch, cells: int, members: int
) -> None:
    monkeypatch.setattr(folding, "_CELLS", cells)
    monkeypatch.setattr(folding, "_MEMBERS", members)
    sampled = _sampled()
    columns = fold(sampled, _membership())
    names = [name for name in columns if name not in {"pool", "function_id"}]
    expected = _looped(sampled)
    keys = list(zip(columns["pool"].tolist(), columns["function_id"].tolist(), strict=True))
    assert keys == sorted(expected)
    for name in names:
        values = np.array([expected[key][name] for key in keys])
        if name.endswith(("_y", "_yy", "_xy")):
            assert columns[name] == pytest.approx(shorten(values), rel=1e-5)
        else:
            assert columns[name].tolist() == values.tolist()


def test_windows_without_known_stacks_have_no_functions() -> None:
    sampled = _sampled()
    unknown = Sampled(
        sampled.pool, sampled.period, sampled.ends, np.full(len(sampled.counts), 99, np.uint64), sampled.counts,
        sampled.natives,
    )  # fmt: skip
    assert not len(fold(unknown, _membership())["total"])
