"""An arm of a comparison: what one side did, block of time by block of time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pivotscope.profile.metric import MetricRole

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Blocks of equal length. Block k covers [start_ns + k·block_ns, start_ns + (k + 1)·block_ns) of unix time."""

    start_ns: int
    block_ns: int
    count: int

    @property
    def end_ns(self) -> int:
        """Where the last block ends."""
        return self.start_ns + self.block_ns * self.count

    @property
    def edges(self) -> FloatArray:
        """The count + 1 edges in seconds since the grid's start."""
        return np.arange(self.count + 1, dtype=np.float64) * (self.block_ns / 1e9)


@dataclass(frozen=True, slots=True, eq=False)
class Counter:
    """Increments of one metric of one role, all of the arm's series added up.

    `increments` and `seconds` (observed time) are one a block; NaN and 0 where the block was not observed whole.
    `reversals` counts steps backwards without a new start: one is a fault, many are different processes
    answering under one name.
    """

    role: MetricRole
    name: str
    unit: str
    increments: FloatArray
    seconds: FloatArray
    intervals: int = 0
    reversals: int = 0
    gaps: int = 0

    @property
    def total(self) -> float:
        """Sum over the observed blocks."""
        return float(np.nansum(self.increments))


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Increments of one bucketed histogram: `buckets` is (blocks, bounds + 1), `sums` the observations' sum a block."""

    role: MetricRole
    name: str
    unit: str
    bounds: tuple[float, ...]
    buckets: FloatArray
    sums: FloatArray
    seconds: FloatArray
    intervals: int = 0
    reversals: int = 0
    gaps: int = 0

    @property
    def counts(self) -> FloatArray:
        """Observations a block; NaN where the block was not observed whole."""
        counts: FloatArray = self.buckets.sum(axis=1)
        return counts


@dataclass(frozen=True, slots=True, eq=False)
class ProcessCpu:
    """CPU-seconds a block of all processes that belong to this arm alone; NaN where no window covers the block."""

    seconds: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SubtreeCpu:
    """CPU of the functions that stand for the arm: share of samples × CPU of the pool they ran in.

    `seconds` is one a block, NaN where nothing was sampled. `sampling_variance` is that of ln(total), from
    the windows alone; `samples` fell into the subtree. `outside` is the factor for CPU that ran outside the
    interpreter lock, 1 where none was shown.
    """

    functions: tuple[str, ...]
    seconds: FloatArray
    samples: int
    sampling_variance: float
    mode: str
    outside: float = 1.0
    outside_variance: float = 0.0


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Memory of one process over the arm's time, in bytes. `identity` names the process across arms."""

    identity: str
    mean_bytes: float
    peak_bytes: float


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """One side. `shared_process` says that its code ran in processes that the other arm's code ran in too."""

    label: str
    grid: Grid
    counters: tuple[Counter, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    cpu: ProcessCpu | None = None
    subtree: SubtreeCpu | None = None
    memory: tuple[ProcessMemory, ...] = ()
    shared_process: bool = False
    problems: tuple[str, ...] = ()

    def counter(self, role: MetricRole, name: str) -> Counter | None:
        """The counter of this role and name."""
        return next((c for c in self.counters if (c.role, c.name) == (role, name)), None)

    def histogram(self, role: MetricRole, name: str) -> Histogram | None:
        """The histogram of this role and name."""
        return next((h for h in self.histograms if (h.role, h.name) == (role, name)), None)

    def names(self, role: MetricRole) -> tuple[str, ...]:
        """Names of the metrics that this arm has for a role, sorted."""
        found = {c.name for c in self.counters if c.role is role}
        found |= {h.name for h in self.histograms if h.role is role}
        return tuple(sorted(found))

    def requests(self) -> FloatArray | None:
        """Requests a block: of the largest counter mapped to requests, else the latency histogram's count."""
        counters = [c for c in self.counters if c.role is MetricRole.REQUESTS]
        if counters:
            return max(counters, key=lambda c: c.total).increments
        histograms = [h for h in self.histograms if h.role is MetricRole.LATENCY]
        if histograms:
            return max((h.counts for h in histograms), key=lambda counts: float(np.nansum(counts)))
        return None
