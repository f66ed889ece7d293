"""Everything that the agent says about itself at one moment, as values."""

import resource
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from os import sysconf
from pathlib import Path

from pivotscope_agent.status import GovernorStatus, TargetState, TargetStatus
from pivotscope_agent.telemetry.table import Count

MOST_TARGETS = 200
"""Targets that are told one by one; all others are in the sums by state."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the agent itself took since its start, and what it holds. Children count when they have ended."""

    cpu_ns: int = 0
    children_cpu_ns: int = 0
    resident_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SpoolReport:
    """What waits for the collector, `oldest_age_s` of it for how long, and how much may."""

    size_bytes: int = 0
    records: int = 0
    oldest_age_s: float = 0.0
    on_disk: bool = True
    max_bytes: int = 0


@dataclass(frozen=True, slots=True)
class StreamReport:
    """Where the stream stands and since when. `acknowledged_unix_ns` is 0 before the first acknowledgement."""

    state: str
    detail: str = ""
    since_unix_ns: int = 0
    acknowledged_unix_ns: int = 0
    clock_offset_ns: int = 0
    in_flight: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """One moment of the agent. `problems` are its own and keep it from its work; `warnings` come from outside."""

    sent_unix_ns: int
    started_unix_ns: int
    version: str
    stream: StreamReport
    governor: GovernorStatus
    spool: SpoolReport = SpoolReport()
    usage: Usage = Usage()
    tools: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[tuple[Count, tuple[str, ...]], int] = field(default_factory=dict)
    targets: tuple[TargetStatus, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def states(self) -> Counter[TargetState]:
        """Targets by state."""
        return Counter(target.state for target in self.targets)

    @property
    def told(self) -> tuple[TargetStatus, ...]:
        """The targets that are told one by one."""
        return chosen(self.targets)


def chosen(targets: Iterable[TargetStatus], most: int = MOST_TARGETS) -> tuple[TargetStatus, ...]:
    """At most `most` targets: first those that are not sampled, then those whose samplers cost most."""
    ordered = sorted(targets, key=lambda one: (one.state is TargetState.SAMPLING, -one.sampler_cores, one.process.pid))
    return tuple(ordered[:most])


def own_usage(statm: Path = Path("/proc/self/statm")) -> Usage:
    """What this process takes."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return Usage(
        cpu_ns=round((own.ru_utime + own.ru_stime) * 1e9),
        children_cpu_ns=round((children.ru_utime + children.ru_stime) * 1e9),
        resident_bytes=int(statm.read_text("ascii").split()[1]) * sysconf("SC_PAGE_SIZE"),
    )
