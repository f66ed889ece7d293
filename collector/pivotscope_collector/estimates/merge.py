"""Sums of attributed CPU over pools of one service."""

from collections.abc import Sequence
from math import hypot

from pivotscope_collector.estimates.pool import FunctionCpu, Pool, PoolCpu
from pivotscope_collector.estimates.share import Interval


def without_arms(pool: Pool) -> Pool:
    """The service and language of a pool."""
    return Pool(pool.service, "", "", "", pool.language)


def merge_pools(pool: Pool, parts: Sequence[PoolCpu]) -> PoolCpu:
    """Several pools as one; `held` is weighted by CPU and None where no part knows it."""
    told = [(part.held, part.attributed_ns) for part in parts if part.held is not None]
    weight = sum(cpu for _, cpu in told)
    return PoolCpu(
        pool=pool,
        attributed_ns=sum(part.attributed_ns for part in parts),
        unattributed_ns=sum(part.unattributed_ns for part in parts),
        other_ns=sum(part.other_ns for part in parts),
        held=sum(held * cpu for held, cpu in told) / weight if weight > 0.0 else None,
        windows=sum(part.windows for part in parts),
        samples=sum(part.samples for part in parts),
    )


def merge_functions(pool: PoolCpu, parts: Sequence[FunctionCpu]) -> FunctionCpu:
    """A function over several pools; `pool` is their sum. Native time is known where it is for most of the CPU."""
    own, total = (added([part.self_ns for part in parts]), added([part.total_ns for part in parts]))
    known = sum(part.total_ns.estimate for part in parts if part.native_known)
    return FunctionCpu(
        pool=pool.pool,
        function=parts[0].function,
        samples=sum(part.samples for part in parts),
        self_ns=own,
        total_ns=total,
        native_ns=added([part.native_ns for part in parts]),
        self_native_ns=sum(part.self_native_ns for part in parts),
        native_known=known > total.estimate / 2.0,
        attributed_ns=pool.attributed_ns,
        clusters=sum(part.clusters for part in parts),
    )


def added(parts: Sequence[Interval]) -> Interval:
    """Sum of independent estimates: half-widths add in quadrature; never below 0."""
    estimate = sum(part.estimate for part in parts)
    low = hypot(*(part.estimate - part.low for part in parts))
    high = hypot(*(part.high - part.estimate for part in parts))
    return Interval(estimate, max(0.0, estimate - low), estimate + high)
