"""Attribution against simulated processes whose CPU is known function by function."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode
from pivotscope_collector.estimates.attribution import attribute, attribute_columns
from pivotscope_collector.estimates.columns import Bounded, columns_of
from pivotscope_collector.estimates.lock import Lock, lock
from pivotscope_collector.estimates.merge import merge_functions, merge_pools, without_arms
from pivotscope_collector.estimates.pool import Attribution, FunctionCpu, FunctionSums, Pool, PoolCpu, PoolSums
from pivotscope_collector.estimates.seen import ModeSums

PYTHON = Pool("shop", "", "1", "", Language.PYTHON)
RUBY = Pool("shop", "", "1", "", Language.RUBY)
ROOT, PURE, MORE, RELEASING, ASLEEP, UNDER_LOCK = range(6)
NAMES = range(6)
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Process:
    """CPU a second under the lock and outside it, by function; sleeping threads that look active 8 % of the time."""

    held: Mapping[int, float]
    outside: Mapping[int, float]
    sleepers: int = 0

    @property
    def cpu(self) -> float:
        return sum(self.held.values()) + sum(self.outside.values())


def observe(
    process: Process, seed: int, windows: Mapping[Mode, int], *, rate: int = 20, seconds: int = 10, pool: Pool = PYTHON
) -> tuple[list[PoolSums], list[FunctionSums]]:
    """Windows of each mode; every function is called by ROOT. Samples are independent ticks."""
    source = np.random.default_rng(seed)
    ticks, period = rate * seconds, 1e9 / rate
    pools, functions = [], []
    for mode, count in windows.items():
        hits = np.zeros((count, len(NAMES)))
        for key, part in process.held.items():
            hits[:, key] += source.binomial(ticks, part, count)
        if mode is not Mode.GIL:
            for key, part in process.outside.items():
                hits[:, key] += source.binomial(ticks, part, count)
            hits[:, ASLEEP] += source.binomial(ticks * process.sleepers, 0.08, count) if process.sleepers else 0
        cpu = process.cpu * seconds * count * 1e9
        y = hits * period
        x = y.sum(axis=1)
        pools.append(PoolSums(pool, mode, count, int(hits.sum()), x.sum(), (x * x).sum(), cpu, cpu * 1.1, cpu * 0.02))
        functions += [_sums(pool, mode, key, (hits[:, key] * period, x), period) for key in NAMES]
    return pools, functions


def _sums(pool: Pool, mode: Mode, key: int, windows: tuple[Matrix, Matrix], period: float) -> FunctionSums:
    y, x = windows
    own = y * (key != ROOT)
    total = x if key == ROOT else own
    native = int(y.sum() / period) if key in {UNDER_LOCK, RELEASING} and (mode is Mode.NATIVE or pool is RUBY) else 0
    return FunctionSums(
        pool, mode, key, int(own.sum() / period), int(total.sum() / period), native, native,
        own.sum(), (own**2).sum(), (own * x).sum(), total.sum(), (total**2).sum(), (total * x).sum(),
    )  # fmt: skip


def by_service(attribution: Attribution) -> Attribution:
    """The same, summed over environments, versions and variants of a service."""
    pools: dict[Pool, list[PoolCpu]] = defaultdict(list)
    for pool in attribution.pools:
        pools[without_arms(pool.pool)].append(pool)
    merged = {service: merge_pools(service, some) for service, some in pools.items()}
    functions: dict[tuple[Pool, int], list[FunctionCpu]] = defaultdict(list)
    for row in attribution.functions:
        functions[without_arms(row.pool), row.function].append(row)
    rows = (merge_functions(merged[service], some) for (service, _), some in functions.items())
    return Attribution(tuple(merged.values()), tuple(rows))


def parts(attribution: Attribution) -> dict[int, FunctionCpu]:
    return {function.function: function for function in attribution.functions}


def part(function: FunctionCpu, attribution: Attribution) -> float:
    return function.self_ns.estimate / attribution.pools[0].attributed_ns


def conserved(attribution: Attribution, pools: list[PoolSums]) -> None:
    measured = sum(row.attributed_ns + row.unattributed_ns for row in pools)
    given = sum(function.self_ns.estimate for function in attribution.functions)
    rest = sum(pool.other_ns + pool.unattributed_ns for pool in attribution.pools)
    assert given + rest == pytest.approx(measured, rel=1e-12)


BOTH = {Mode.GIL: 45, Mode.ACTIVE: 15}


def test_pure_code_gets_its_part_and_no_native_time() -> None:
    process = Process({PURE: 0.5, MORE: 0.3}, {})
    pools, functions = observe(process, 1, BOTH)
    split = attribute(pools, functions)
    seen = parts(split)
    assert part(seen[PURE], split) == pytest.approx(0.625, abs=0.02)
    assert seen[PURE].native_ns.estimate / split.pools[0].attributed_ns < 0.02
    assert seen[ROOT].total_ns.estimate == pytest.approx(split.pools[0].attributed_ns, rel=1e-6)
    conserved(split, pools)


def test_code_that_releases_the_lock_gets_its_part_as_native() -> None:
    process = Process({PURE: 0.4}, {RELEASING: 0.3})
    pools, functions = observe(process, 2, BOTH)
    split = attribute(pools, functions)
    seen = parts(split)
    assert split.pools[0].held == pytest.approx(0.4 / 0.7, abs=0.02)
    assert part(seen[RELEASING], split) == pytest.approx(0.3 / 0.7, abs=0.03)
    assert seen[RELEASING].native_ns.estimate == pytest.approx(seen[RELEASING].total_ns.estimate, rel=0.02)
    assert seen[ROOT].native_ns.estimate == pytest.approx(seen[RELEASING].total_ns.estimate, rel=0.05)
    conserved(split, pools)


@pytest.mark.parametrize("sleepers", [1, 5, 40])
def test_sleepers_take_nothing_from_code_under_the_lock(sleepers: int) -> None:
    """However many threads sleep: the part under the lock stays right, and all others share what is outside it."""
    process = Process({PURE: 0.4}, {RELEASING: 0.3}, sleepers)
    pools, functions = observe(process, 3, BOTH)
    split = attribute(pools, functions)
    seen = parts(split)
    outside = 1.0 - (split.pools[0].held or 0.0)
    assert part(seen[PURE], split) == pytest.approx(0.4 / 0.7, abs=0.03)
    assert part(seen[ASLEEP], split) <= outside + 1e-9
    assert part(seen[ASLEEP], split) + part(seen[RELEASING], split) == pytest.approx(outside, abs=0.02)
    assert seen[ASLEEP].native_ns.estimate == pytest.approx(seen[ASLEEP].total_ns.estimate, rel=1e-6)
    conserved(split, pools)


@pytest.mark.parametrize("sleepers", [1, 5, 40])
def test_intervals_admit_that_sleepers_and_released_code_look_alike(sleepers: int) -> None:
    process = Process({PURE: 0.4}, {RELEASING: 0.3}, sleepers)
    split = attribute(*observe(process, 4, BOTH))
    attributed = split.pools[0].attributed_ns
    truth = {PURE: 0.4 / 0.7, RELEASING: 0.3 / 0.7, ASLEEP: 0.0}
    for key, expected in truth.items():
        interval = parts(split)[key].self_ns
        assert interval.low <= expected * attributed <= interval.high


def test_a_process_that_mostly_sleeps_gives_its_sleepers_little() -> None:
    """All CPU is under the lock; 30 sleeping threads are sampled three times as often as the one that works."""
    process = Process({PURE: 0.8}, {}, sleepers=30)
    split = attribute(*observe(process, 5, BOTH))
    assert part(parts(split)[ASLEEP], split) <= 1.0 - (split.pools[0].held or 0.0) + 1e-9
    assert part(parts(split)[PURE], split) > 0.97


def test_threads_without_a_frame_do_not_make_sleepers_look_busy() -> None:
    """0.5 CPU a second is in native threads that nobody samples: the rest of the CPU is spread by activity."""
    process = Process({PURE: 0.4}, {})
    pools, functions = observe(process, 6, BOTH)
    more = [
        PoolSums(
            row.pool, row.mode, row.windows, row.samples, row.x, row.xx, row.complete_cpu_ns * 0.9 / 0.4,
            row.attributed_ns * 0.9 / 0.4, 0.0,
        )
        for row in pools
    ]  # fmt: skip
    split = attribute(more, functions)
    assert part(parts(split)[PURE], split) == pytest.approx(1.0)
    assert parts(split)[PURE].native_ns.estimate / split.pools[0].attributed_ns == pytest.approx(0.5 / 0.9, abs=0.03)
    conserved(split, more)


def test_native_windows_tell_native_time_under_the_lock() -> None:
    process = Process({PURE: 0.3, UNDER_LOCK: 0.3}, {})
    split = attribute(*observe(process, 7, BOTH | {Mode.NATIVE: 15}))
    seen = parts(split)
    assert seen[UNDER_LOCK].native_known
    assert seen[UNDER_LOCK].native_ns.estimate == pytest.approx(seen[UNDER_LOCK].total_ns.estimate, rel=0.02)
    assert seen[PURE].native_ns.estimate / seen[PURE].total_ns.estimate < 0.05


def test_without_native_windows_python_does_not_know() -> None:
    split = attribute(*observe(Process({PURE: 0.3, UNDER_LOCK: 0.3}, {}), 8, BOTH))
    assert not parts(split)[UNDER_LOCK].native_known


def test_without_active_windows_the_rest_is_spread_and_says_so() -> None:
    process = Process({PURE: 0.4}, {RELEASING: 0.4})
    pools, functions = observe(process, 9, {Mode.GIL: 30})
    split = attribute(pools, functions)
    pure = parts(split)[PURE]
    assert pure.self_ns.low <= 0.5 * split.pools[0].attributed_ns <= pure.self_ns.high
    conserved(split, pools)


def test_ruby_has_active_windows_only_and_knows_native_leaves() -> None:
    process = Process({PURE: 0.6, UNDER_LOCK: 0.2}, {})
    pools, functions = observe(process, 10, {Mode.ACTIVE: 30}, pool=RUBY)
    split = attribute(pools, functions)
    assert split.pools[0].held is None
    assert part(parts(split)[PURE], split) == pytest.approx(0.75, abs=0.02)
    assert parts(split)[UNDER_LOCK].native_ns.estimate == pytest.approx(parts(split)[UNDER_LOCK].total_ns.estimate)
    conserved(split, pools)


@pytest.mark.parametrize("rate", [10, 20, 100])
def test_the_rate_does_not_matter(rate: int) -> None:
    process = Process({PURE: 0.4, MORE: 0.2}, {RELEASING: 0.1})
    split = attribute(*observe(process, 11, BOTH, rate=rate))
    attributed = split.pools[0].attributed_ns
    for key, truth in {PURE: 0.4 / 0.7, MORE: 0.2 / 0.7, RELEASING: 0.1 / 0.7}.items():
        interval = parts(split)[key].self_ns
        assert interval.low <= truth * attributed <= interval.high


def test_a_crowded_machine_widens_what_is_held() -> None:
    """Threads wait for a processor as long as they run: samples see twice the CPU, and the lock's part looks whole."""
    process = Process({PURE: 0.3}, {RELEASING: 0.15})
    pools, functions = observe(process, 15, BOTH)
    crowded = [
        replace(row, complete_cpu_ns=row.complete_cpu_ns / 2, attributed_ns=row.attributed_ns / 2) for row in pools
    ]
    split = attribute(crowded, functions)
    assert split.pools[0].held == 1.0
    for key, truth in {PURE: 0.3 / 0.45, RELEASING: 0.15 / 0.45}.items():
        interval = parts(split)[key].self_ns
        assert interval.low <= truth * split.pools[0].attributed_ns <= interval.high
    conserved(split, crowded)


@pytest.mark.parametrize("waited", [0.5, 1.0, 3.0])
def test_waiting_for_a_processor_is_divided_out(waited: float) -> None:
    """30 % of CPU is outside the lock, and threads wait `waited` times as long for a processor as they run."""
    stretch = 1.0 + waited
    process = Process({PURE: 0.7 * 0.9}, {RELEASING: 0.3 * 0.9})
    pools, functions = observe(process, 16, BOTH)
    crowded = [
        replace(
            row,
            complete_cpu_ns=row.complete_cpu_ns / stretch,
            attributed_ns=row.attributed_ns / stretch,
            complete_delay_ns=row.complete_cpu_ns / stretch * waited,
        )
        for row in pools
    ]
    split = attribute(crowded, functions)
    attributed = split.pools[0].attributed_ns
    assert split.pools[0].held == pytest.approx(0.7, abs=0.02)
    assert part(parts(split)[RELEASING], split) == pytest.approx(0.3, abs=0.03)
    for key, truth in {PURE: 0.7, RELEASING: 0.3}.items():
        interval = parts(split)[key].self_ns
        assert interval.low <= truth * attributed <= interval.high
    conserved(split, crowded)


def test_intervals_admit_that_the_delay_is_known_in_part() -> None:
    """Half of the waits counted were not those of the lock's holder."""
    process = Process({PURE: 0.4}, {RELEASING: 0.1})
    pools, functions = observe(process, 17, BOTH)
    stretched = [replace(row, complete_cpu_ns=row.complete_cpu_ns / 2) for row in pools]
    doubtful = [replace(row, complete_delay_ns=row.complete_cpu_ns * 2.0) for row in stretched]
    split = attribute(doubtful, functions)
    assert split.pools[0].held == pytest.approx(0.8 * 2 / 3, abs=0.02)
    assert parts(split)[PURE].self_ns.high >= 0.8 * split.pools[0].attributed_ns


def test_intervals_cover_the_truth() -> None:
    """60 runs of three functions; 95 % intervals are somewhat wide, so at least 54 runs of each must hold the truth."""
    process = Process({PURE: 0.3, MORE: 0.2}, {RELEASING: 0.15}, sleepers=1)
    truth = {PURE: 0.3 / 0.65, MORE: 0.2 / 0.65, RELEASING: 0.15 / 0.65}
    covered = dict.fromkeys(truth, 0)
    for seed in range(60):
        split = attribute(*observe(process, 100 + seed, BOTH))
        for key, expected in truth.items():
            interval = parts(split)[key].self_ns
            covered[key] += interval.low <= expected * split.pools[0].attributed_ns <= interval.high
    assert min(covered.values()) >= 54


@pytest.mark.parametrize(
    ("outside", "low", "high"),
    [
        ((0.1, 0.1, 0.1), 0.5, 0.5),
        ((0.1, 0.0, 0.2), 0.3, 0.7),
        ((0.0, 0.0, 0.0), 0.3, 0.5),
        ((0.2, 0.2, 0.2), 0.5, 0.7),
    ],
)
def test_what_is_not_known_of_the_lock_counts_as_far_as_its_sides_differ(
    outside: tuple[float, float, float], low: float, high: float
) -> None:
    """Half of what is under the lock, 60 to 100 % of CPU: who has half of the rest as well has half of all."""
    half, known = np.array([[0.5]]), Lock(np.array([[0.8]]), np.array([[0.6]]), np.array([[1.0]]))
    found = known.quantity(Bounded(half, half, half), Bounded(*(np.array([[part]]) for part in outside))).all
    assert (found.low.item(), found.high.item()) == pytest.approx((low, high))


@pytest.mark.parametrize("seed", range(5))
def test_a_root_has_all_of_the_cpu_however_little_was_seen(seed: int) -> None:
    """One active window of six looks misses most of what runs; that is its functions' all the same."""
    process = Process({PURE: 0.3, MORE: 0.2}, {RELEASING: 0.1})
    pools, functions = observe(process, 30 + seed, {Mode.GIL: 9, Mode.ACTIVE: 1}, rate=1, seconds=6)
    split = attribute(pools, functions)
    assert parts(split)[ROOT].total_ns.estimate == pytest.approx(split.pools[0].attributed_ns)
    conserved(split, pools)


@pytest.mark.parametrize("part", [0.2, 0.9])
def test_the_lock_is_known_as_binomials_are(part: float) -> None:
    """400 runs of 200 looks: the bounds of `held` hold the truth in 95 % of them, give or take 2.7 points.

    That is two and a half standard errors of 400 draws. Bounds of Poisson counts would hold it in all.
    """
    looks, period, source = 200, 5e7, np.random.default_rng(19)
    counts = source.binomial(looks, part * 0.8, 400).astype(np.float64)
    cpu = part * looks * period
    gil = ModeSums(*(np.reshape(one, (-1, 1)) for one in (
        np.full(400, 8.0), counts, counts * period, counts**2 * period**2, np.full(400, cpu), np.zeros(400),
        np.full(400, looks * period),
    )))  # fmt: skip
    known = lock(gil, None)
    covered = float(((known.low <= 0.8) & (known.high >= 0.8)).mean())
    assert covered == pytest.approx(0.95, abs=0.027)


def test_functions_that_were_left_out_are_other() -> None:
    pools, functions = observe(Process({PURE: 0.4, MORE: 0.4}, {}), 12, BOTH)
    split = attribute(pools, [row for row in functions if row.function != MORE])
    assert split.pools[0].other_ns / split.pools[0].attributed_ns == pytest.approx(0.5, abs=0.03)
    conserved(split, pools)


def test_cpu_without_any_sample_is_unattributed() -> None:
    idle = PoolSums(PYTHON, Mode.GIL, 10, 0, 0.0, 0.0, 5e9, 5e9, 1e9)
    split = attribute([idle], [])
    assert (split.pools[0].attributed_ns, split.pools[0].unattributed_ns) == (0.0, 6e9)


def test_pools_of_a_service_add_up() -> None:
    other = Pool("shop", "", "2", "", Language.PYTHON)
    first = observe(Process({PURE: 0.4}, {}), 13, BOTH)
    second = observe(Process({PURE: 0.2, MORE: 0.2}, {}), 14, BOTH, pool=other)
    split = attribute([*first[0], *second[0]], [*first[1], *second[1]])
    merged = by_service(split)
    assert len(merged.pools) == 1
    assert merged.pools[0].pool.version == ""
    seen = parts(merged)
    total = sum(one.self_ns.estimate for one in split.functions if one.function == PURE)
    assert seen[PURE].self_ns.estimate == pytest.approx(total)
    assert seen[PURE].self_share.estimate == pytest.approx(0.75, abs=0.02)
    conserved(merged, [*first[0], *second[0]])


def test_columns_tell_what_values_tell() -> None:
    process = Process({PURE: 0.4, MORE: 0.2}, {RELEASING: 0.3})
    first = observe(process, 1, {Mode.GIL: 12, Mode.ACTIVE: 4})
    second = observe(process, 2, {Mode.GIL: 9}, pool=replace(PYTHON, version="2"))
    pools, functions = first[0] + second[0], first[1] + second[1]
    values = by_service(attribute(pools, functions))
    columns = attribute_columns(pools, columns_of(functions))
    (totals,) = columns.totals()
    by_id = {one.function: one for one in values.functions}
    assert totals.ids.tolist() == sorted(by_id)
    assert totals.self_ns.tolist() == pytest.approx([by_id[key].self_ns.estimate for key in sorted(by_id)])
    assert totals.total_ns.tolist() == pytest.approx([by_id[key].total_ns.estimate for key in sorted(by_id)])
    assert columns.functions([(totals.service, MORE), (totals.service, PURE)]) == [by_id[MORE], by_id[PURE]]
    assert columns.services() == values.pools
