"""What a trend stands on: a function's CPU and share in every step of a range."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import hypot
from operator import add
from typing import TypeVar

from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.columns import SUMS
from pivotscope_collector.estimates.merge import added, without_arms
from pivotscope_collector.estimates.pool import FunctionSums, Pool, PoolSums
from pivotscope_collector.estimates.share import Interval, t_quantile
from pivotscope_collector.estimates.steps import StepCpu, attribute_steps
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.recall import Recall
from pivotscope_collector.store.totals import stepped
from pivotscope_collector.trends.series import Point

Sums = TypeVar("Sums", PoolSums, FunctionSums)

LOST = 0.2
"""Part of a step's CPU without samples from which on CPU a request would be that much too low."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A function in one step: `at` unix seconds; CPU in nanoseconds, of the function and attributed to the service.

    `deviation` is the standard deviation of the function's CPU. `requests` were counted in this step; None: not whole.
    """

    at: int
    cpu_ns: Interval
    deviation: float
    attributed_ns: float
    unattributed_ns: float
    windows: int
    samples: int
    requests: float | None = None

    @property
    def share(self) -> Interval:
        """Of the service's attributed CPU."""
        whole = self.attributed_ns
        if whole <= 0.0:
            return Interval(0.0, 0.0, 1.0)
        return Interval(*(min(1.0, part / whole) for part in (self.cpu_ns.estimate, self.cpu_ns.low, self.cpu_ns.high)))

    def share_point(self) -> Point:
        """The share as a point of a trend."""
        deviation = self.deviation / self.attributed_ns if self.attributed_ns > 0.0 else 0.0
        return Point(self.at, self.share.estimate, deviation**2, self.windows, self.samples)

    @property
    def per_request(self) -> Interval:
        """CPU-seconds a request, where requests were counted."""
        return self.cpu_ns.scaled(1e-9 / self.requests) if self.requests else Interval(0.0, 0.0, 0.0)

    def request_point(self) -> Point | None:
        """CPU-seconds a request as a point; None where requests are not known, or too much CPU has no samples."""
        whole = self.attributed_ns + self.unattributed_ns
        if not self.requests or self.unattributed_ns > LOST * whole:
            return None
        deviation = self.deviation * 1e-9 / self.requests
        return Point(self.at, self.per_request.estimate, deviation**2, self.windows, self.samples)


@dataclass(frozen=True, slots=True)
class History:
    """Steps to judge in order of time, the services in question, and when each version was first seen.

    `by_version` has the steps of each version alone. `parts` are the steps as they were read: those, or finer ones.
    """

    moments: tuple[Moment, ...]
    parts: tuple[Moment, ...]
    services: tuple[str, ...]
    versions: Mapping[str, int]
    by_version: Mapping[str, list[Moment]]

    @property
    def counted(self) -> bool:
        """Whether requests are known for any step."""
        return any(one.requests for one in self.moments)

    @property
    def deployments(self) -> dict[str, int]:
        """Versions that came within the range: not those that were there when it began."""
        first = min(self.versions.values(), default=0)
        return {version: at for version, at in self.versions.items() if version and at > first}

    def counting(self, counts: Mapping[int, float], step: int) -> "History":
        """With the requests of the parts, as far as they are known; `step` is that of the steps to judge."""
        parts = counted(self.parts, counts)
        known = {one.at: one.requests for one in merged(parts, step) if one.requests is not None}
        return replace(self, moments=tuple(counted(self.moments, known)), parts=tuple(parts))


def read(
    recall: Recall, selection: Selection, function: int, step: int, judged: int, *, apart: bool = False
) -> History:
    """The function in steps of `step` seconds, and in those to judge, `judged` seconds, a multiple. Raises StoreError.

    `apart` also version by version. Services without a sample of it do not count.
    """
    return stepped(recall, selection, function, partial(_history, times=(step, judged), apart=apart), step)


def _history(
    pools: Mapping[int, Sequence[PoolSums]],
    functions: Mapping[int, Sequence[FunctionSums]],
    *,
    times: tuple[int, int],
    apart: bool,
) -> History:
    kinds = {(row.pool.service, row.pool.language) for rows in functions.values() for row in rows}
    known = {at: [row for row in rows if (row.pool.service, row.pool.language) in kinds] for at, rows in pools.items()}
    step, judged = times
    fine = _steps(known, functions)
    steps = fine if step == judged else _steps(_longer(known, judged, add), _longer(functions, judged, _both))
    versions: dict[str, int] = {}
    by_version: dict[str, list[Moment]] = defaultdict(list)
    for at, some in steps.items():
        names = sorted({one.pool.version for one in some if one.windows})
        for name in names:
            versions.setdefault(name, at)
        for name in names if apart else ():
            by_version[name].append(moment(at, [one for one in some if one.pool.version == name]))
    moments = tuple(moment(at, some) for at, some in steps.items())
    parts = moments if steps is fine else tuple(moment(at, some) for at, some in fine.items())
    return History(moments, parts, tuple(sorted({service for service, _ in kinds})), versions, by_version)


def _steps(
    pools: Mapping[int, Sequence[PoolSums]], functions: Mapping[int, Sequence[FunctionSums]]
) -> dict[int, list[StepCpu]]:
    """The function in each pool, by step, in order of time."""
    steps: dict[int, list[StepCpu]] = defaultdict(list)
    for one in attribute_steps(pools, functions):
        steps[one.at].append(one)
    return dict(sorted(steps.items()))


def _longer(rows: Mapping[int, Sequence[Sums]], step: int, both: Callable[[Sums, Sums], Sums]) -> dict[int, list[Sums]]:
    """Rows of longer steps, as if they had been read: sums of a pool and mode add up."""
    found: dict[int, dict[tuple[Pool, Mode], Sums]] = defaultdict(dict)
    for at, some in rows.items():
        known = found[at // step * step]
        for row in some:
            key = row.pool, row.mode
            known[key] = both(known[key], row) if key in known else row
    return {at: list(known.values()) for at, known in found.items()}


def _both(one: FunctionSums, other: FunctionSums) -> FunctionSums:
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in SUMS})


def counted(moments: Iterable[Moment], counts: Mapping[int, float]) -> list[Moment]:
    """The moments with the requests of their steps, as far as they are known."""
    return [replace(one, requests=counts.get(one.at)) for one in moments]


def moment(at: int, parts: Sequence[StepCpu]) -> Moment:
    """One step of one function from its pools."""
    services: dict[Pool, list[tuple[Interval, int]]] = defaultdict(list)
    for one in parts:
        if one.total_ns is not None:
            services[without_arms(one.pool)].append((one.total_ns, one.clusters))
    cpu = [(added([cpu for cpu, _ in some]), sum(clusters for _, clusters in some)) for some in services.values()]
    return Moment(
        at=at,
        cpu_ns=added([whole for whole, _ in cpu]),
        deviation=hypot(*(_deviation(whole, clusters) for whole, clusters in cpu)),
        attributed_ns=sum(one.attributed_ns for one in parts),
        unattributed_ns=sum(one.unattributed_ns for one in parts),
        windows=sum(one.windows for one in parts),
        samples=sum(one.samples for one in parts),
    )


def merged(moments: Iterable[Moment], step: int) -> list[Moment]:
    """Moments in longer steps; 0: all as one."""
    groups: dict[int, list[Moment]] = defaultdict(list)
    for one in moments:
        groups[one.at // step * step if step else 0].append(one)
    return [
        Moment(
            at=at,
            cpu_ns=added([one.cpu_ns for one in parts]),
            deviation=hypot(*(one.deviation for one in parts)),
            attributed_ns=sum(one.attributed_ns for one in parts),
            unattributed_ns=sum(one.unattributed_ns for one in parts),
            windows=sum(one.windows for one in parts),
            samples=sum(one.samples for one in parts),
            requests=_whole([one.requests for one in parts]),
        )
        for at, parts in sorted(groups.items())
    ]


def _whole(parts: Sequence[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known and len(known) == len(parts) else None


def _deviation(cpu: Interval, clusters: int) -> float:
    return (cpu.high - cpu.low) / 2.0 / t_quantile(max(1, clusters - 1))
