"""A window: one look at one process, with everything that gives its samples a meaning."""

from dataclasses import dataclass, field
from enum import StrEnum

from pivotscope.profile.function import Function
from pivotscope.profile.language import Language


class Mode(StrEnum):
    """What a sample stands for. Samples of different modes are never added up."""

    ACTIVE = "active"
    GIL = "gil"
    NATIVE = "native"
    NONE = "none"


class Outcome(StrEnum):
    """How a window ended. Only COMPLETE windows carry samples."""

    COMPLETE = "complete"
    SKIPPED = "skipped"
    ATTACH_DENIED = "attach_denied"
    UNSUPPORTED_RUNTIME = "unsupported_runtime"
    SAMPLER_FAILED = "sampler_failed"
    SAMPLER_KILLED = "sampler_killed"
    TARGET_EXITED = "target_exited"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Process:
    """A running process and the service it is a part of. (host, pid, started_unix_ns) is its identity."""

    service: str
    environment: str
    version: str
    variant: str
    instance: str
    host: str
    pid: int
    started_unix_ns: int
    language: Language
    runtime_version: str = ""
    container: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process used over a window. CPU in nanoseconds, memory and I/O in bytes.

    `run_delay_ns` is time that its threads, preempted, waited for a processor; 0 where the kernel does not tell.
    """

    cpu_user_ns: int = 0
    cpu_system_ns: int = 0
    resident_bytes: int = 0
    proportional_bytes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0
    threads: int = 0
    run_delay_ns: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """A stack (root first), the line of its leaf, and how often it was seen.

    `native` of the `count` samples had their leaf in native code on behalf of the last function.
    """

    stack: tuple[Function, ...]
    line: int
    count: int
    native: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """One look at one process.

    Windows of a process follow each other without a hole: CPU of `usage` plus `gap_cpu_ns`, added up,
    is the process's CPU time since the first window began. `ticks` is how often the sampler looked, 0 where unknown;
    `errors` of these looks failed. `stopped_ns` is how long the process was held for them. `left_out_ns` is for how
    long before this window the process was skipped by choice: its samples stand for that time too.
    """

    process: Process
    mode: Mode
    outcome: Outcome
    started_unix_ns: int
    duration_ns: int
    usage: Usage
    rate_hz: int = 0
    ticks: int = 0
    late: int = 0
    errors: int = 0
    gap_cpu_ns: int = 0
    sampler_cpu_ns: int = 0
    stopped_ns: int = 0
    left_out_ns: int = 0
    samples: tuple[Sample, ...] = field(default=())
    reason: str = ""
