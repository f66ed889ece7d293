"""Windows as the sums that the roll-ups hold, by the definitions of ARCHITECTURE.md; the store does it in SQL."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pivotscope.profile.function import function_id
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Outcome, Window
from pivotscope_collector.estimates.attribution import attribute
from pivotscope_collector.estimates.pool import FunctionCpu, FunctionSums, Pool, PoolCpu, PoolSums
from pivotscope_collector.ingest.windows import period_ns


@dataclass(frozen=True, slots=True)
class Estimate:
    """CPU of one process as the collector would tell it: its pool, and functions by qualified name."""

    pool: PoolCpu
    functions: dict[str, FunctionCpu]


@dataclass(slots=True)
class _Sum:
    counts: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    own: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    total: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])


def estimate(windows: Sequence[Window]) -> Estimate:
    """Attribute the CPU of the windows of one process."""
    language = windows[0].process.language
    pool = Pool("truth", "", "", "", language)
    names: dict[int, str] = {}
    sums = [_pool_sums(pool, mode, group) for mode, group in _by_mode(windows).items()]
    rows = [
        row for mode, group in _by_mode(windows).items() for row in _function_sums(pool, mode, group, names, language)
    ]
    result = attribute(sums, rows)
    functions: dict[str, FunctionCpu] = {}
    for row in sorted(result.functions, key=lambda row: row.total_ns.estimate):
        functions[names[row.function]] = row
    return Estimate(result.pools[0], functions)


def complete(windows: Iterable[Window]) -> list[Window]:
    """Those that carry samples."""
    return [window for window in windows if window.outcome is Outcome.COMPLETE]


def _by_mode(windows: Iterable[Window]) -> dict[Mode, list[Window]]:
    groups: dict[Mode, list[Window]] = defaultdict(list)
    for window in windows:
        groups[window.mode].append(window)
    return groups


def _period(window: Window) -> float:
    looks = window.ticks - window.errors
    return period_ns(window.duration_ns, window.stopped_ns, looks, window.rate_hz, window.left_out_ns)


def _stood_for(window: Window) -> float:
    return (window.duration_ns + window.left_out_ns) / window.duration_ns


def _cpu(window: Window) -> int:
    return window.usage.cpu_user_ns + window.usage.cpu_system_ns


def _pool_sums(pool: Pool, mode: Mode, windows: Sequence[Window]) -> PoolSums:
    whole = complete(windows)
    x = [sum(sample.count for sample in window.samples) * _period(window) for window in whole]
    measured = float(sum(map(_cpu, whole)))
    others = sum(_cpu(window) for window in windows if window.outcome is not Outcome.COMPLETE)
    return PoolSums(
        pool=pool,
        mode=mode,
        windows=len(whole),
        samples=sum(sample.count for window in whole for sample in window.samples),
        x=sum(x),
        xx=sum(value * value for value in x),
        complete_cpu_ns=sum(_cpu(window) * _stood_for(window) for window in whole),
        attributed_ns=measured,
        unattributed_ns=float(others + sum(window.gap_cpu_ns for window in windows)),
        complete_delay_ns=sum(window.usage.run_delay_ns * _stood_for(window) for window in whole),
        looked_ns=sum((window.duration_ns - window.stopped_ns) * _stood_for(window) for window in whole),
    )


def _function_sums(
    pool: Pool, mode: Mode, windows: Sequence[Window], names: dict[int, str], language: Language
) -> list[FunctionSums]:
    sums: dict[int, _Sum] = defaultdict(_Sum)
    for window in complete(windows):
        own: dict[int, float] = defaultdict(float)
        total: dict[int, float] = defaultdict(float)
        period, x = _period(window), 0.0
        for sample in window.samples:
            stack = [function_id(part.codebase, language, part.path, part.qualified_name) for part in sample.stack]
            names.update(zip(stack, (part.qualified_name for part in sample.stack), strict=True))
            y = sample.count * period
            x += y
            own[stack[-1]] += y
            leaf = sums[stack[-1]].counts
            leaf[0] += sample.count
            leaf[2] += sample.native
            for key in set(stack):
                total[key] += y
                sums[key].counts[1] += sample.count
                sums[key].counts[3] += sample.native
        for values, place in ((own, "own"), (total, "total")):
            for key, y in values.items():
                moments = getattr(sums[key], place)
                for position, value in enumerate((y, y * y, x * y)):
                    moments[position] += value
    return [FunctionSums(pool, mode, key, *part.counts, *part.own, *part.total) for key, part in sums.items()]
