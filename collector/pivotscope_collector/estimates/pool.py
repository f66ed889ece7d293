"""What the roll-ups say about a pool and its functions, and what attribution makes of it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode

from pivotscope_collector.estimates.share import MINIMUM_CLUSTERS, Interval, Share, share_of


@dataclass(frozen=True, slots=True)
class Pool:
    """Processes that are replicas of each other. Empty strings stand for a sum over that dimension."""

    service: str
    environment: str
    version: str
    variant: str
    language: Language


@dataclass(frozen=True, slots=True)
class PoolSums:
    """A pool in one mode over a range of time: sums of rows of `pools_*`. All times are nanoseconds.

    `windows` are complete windows. `x` is Σ samples × period over them, `xx` its sum of squares. `complete_cpu_ns` is
    what /proc counted in them, `complete_delay_ns` how long their threads, preempted, waited for a processor.
    `looked_ns` is what x would be had each look found one thread, 0 where that is not known.
    `attributed_ns` and `unattributed_ns` add up, over the modes, to the pool's whole CPU.
    """

    pool: Pool
    mode: Mode
    windows: int
    samples: int
    x: float
    xx: float
    complete_cpu_ns: float
    attributed_ns: float
    unattributed_ns: float
    complete_delay_ns: float = 0.0
    looked_ns: float = 0.0

    @property
    def runnable_ns(self) -> float:
        """What samples can see of the complete windows: a thread that waits for a processor looks as if it ran."""
        return self.complete_cpu_ns + self.complete_delay_ns if self.complete_cpu_ns > 0.0 else 0.0

    def __add__(self, other: "PoolSums") -> "PoolSums":
        """The same pool and mode over both ranges."""
        return PoolSums(
            self.pool,
            self.mode,
            self.windows + other.windows,
            self.samples + other.samples,
            self.x + other.x,
            self.xx + other.xx,
            self.complete_cpu_ns + other.complete_cpu_ns,
            self.attributed_ns + other.attributed_ns,
            self.unattributed_ns + other.unattributed_ns,
            self.complete_delay_ns + other.complete_delay_ns,
            self.looked_ns + other.looked_ns,
        )


def by_pool(rows: Iterable[PoolSums]) -> dict[Pool, dict[Mode, PoolSums]]:
    """Modes of each pool, one row each."""
    pools: dict[Pool, dict[Mode, PoolSums]] = defaultdict(dict)
    for row in rows:
        pools[row.pool][row.mode] = row
    return pools


def whole_cpu(modes: Iterable[PoolSums]) -> tuple[float, float]:
    """Attributed and unattributed CPU of one pool; without a sample nobody can be named for any of it."""
    rows = list(modes)
    attributed, unattributed = sum(row.attributed_ns for row in rows), sum(row.unattributed_ns for row in rows)
    return (attributed, unattributed) if any(row.x > 0.0 for row in rows) else (0.0, attributed + unattributed)


@dataclass(frozen=True, slots=True)
class FunctionSums:
    """A function of a pool in one mode: sums of rows of `functions_*` over the same range.

    `function` is its id. Counts are samples (recursion once); `*_y` are samples × period in nanoseconds, `*_yy` and
    `*_xy` their sums of squares and of products with the windows' x.
    """

    pool: Pool
    mode: Mode
    function: int
    self_samples: int
    total_samples: int
    self_native: int
    total_native: int
    self_y: float
    self_yy: float
    self_xy: float
    total_y: float
    total_yy: float
    total_xy: float


@dataclass(frozen=True, slots=True)
class FunctionCpu:
    """CPU of a function of a pool, in nanoseconds with 95 % intervals.

    `attributed_ns` is that of the pool, `clusters` are the windows that the estimate stands on.
    `native_ns` is the part of the total that ran in native code or outside the interpreter lock, `self_native_ns` that
    of the function itself. `native_known` is False where nothing could tell native time under the lock.
    """

    pool: Pool
    function: int
    samples: int
    self_ns: Interval
    total_ns: Interval
    native_ns: Interval
    self_native_ns: float
    native_known: bool
    attributed_ns: float
    clusters: int

    @property
    def self_share(self) -> Share:
        """Its own CPU as a part of the pool's attributed CPU."""
        return share_of(self.self_ns, self.attributed_ns, self.clusters)

    @property
    def total_share(self) -> Share:
        """Its CPU and that of what it calls, as a part of the pool's attributed CPU."""
        return share_of(self.total_ns, self.attributed_ns, self.clusters)

    @property
    def insufficient(self) -> bool:
        """Whether there are too few windows for its intervals to be trusted."""
        return self.clusters < MINIMUM_CLUSTERS


@dataclass(frozen=True, slots=True)
class PoolCpu:
    """CPU of a pool, in nanoseconds: `attributed_ns` + `unattributed_ns` is what /proc counted.

    `other_ns` is attributed CPU of functions that were not handed in; with all of them it is 0. `held` is the part
    of CPU under the interpreter lock, None where no window could tell.
    """

    pool: Pool
    attributed_ns: float
    unattributed_ns: float
    other_ns: float
    held: float | None
    windows: int
    samples: int


@dataclass(frozen=True, slots=True)
class Attribution:
    """Measured CPU, split. Σ self + other + unattributed is the total CPU of the pools."""

    pools: tuple[PoolCpu, ...]
    functions: tuple[FunctionCpu, ...]
