"""Finds the processes to sample: compares the list of pids, and reads only what is new."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from pivotscope.profile.window import Process

from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.targets import procfs, runtime_kind
from pivotscope_agent.targets.identity import identify
from pivotscope_agent.targets.selector import Candidate, Selector, first_match
from pivotscope_agent.targets.target import Target

_SETTLED_SCANS = 32
"""A young process may still exec() into what it will be: it is looked at again after 1, 2, 4 … scans up to this."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A process that is not sampled, and why."""

    pid: int
    start_ticks: int
    reason: str
    runtime: runtime_kind.Runtime | None = None
    cmdline: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the scan before. `ended` are keys of targets."""

    found: tuple[Target, ...] = ()
    ended: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class _Unwanted:
    refusal: Refusal
    age: int = 0
    look_again_at: int = 1


@dataclass(slots=True)
class Scanner:
    """Keeps the picture of who runs here. `scan` costs a listing of /proc and a look at each new process."""

    selectors: Sequence[Selector]
    host: str = field(default_factory=socket.gethostname)
    own_pid: int = field(default_factory=os.getpid)
    _targets: dict[int, Target] = field(default_factory=dict)
    _unwanted: dict[int, _Unwanted] = field(default_factory=dict)

    def scan(self) -> Changes:
        """Look once, and tell what came and what went."""
        present = procfs.pids()
        ended = [self._targets.pop(pid) for pid in list(self._targets) if pid not in present]
        ended += [self._targets.pop(pid) for pid, target in list(self._targets.items()) if _replaced(target)]
        for pid in [pid for pid in self._unwanted if pid not in present]:
            del self._unwanted[pid]
        found = [target for pid in sorted(present) if (target := self._look(pid)) is not None]
        return Changes(tuple(found), tuple(target.key for target in ended))

    @property
    def targets(self) -> tuple[Target, ...]:
        """Everything selected now, by pid."""
        return tuple(self._targets[pid] for pid in sorted(self._targets))

    def processes(self) -> tuple[Process, ...]:
        """The selected processes as they are named on the wire."""
        return tuple(target.process for target in self.targets)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Everything looked at and left alone, by pid."""
        return tuple(self._unwanted[pid].refusal for pid in sorted(self._unwanted))

    def _look(self, pid: int) -> Target | None:
        if pid in self._targets:
            return None
        known = self._unwanted.get(pid)
        if known is not None:
            known.age += 1
            if known.age != known.look_again_at or known.age > _SETTLED_SCANS:
                return None
        try:
            judged = self.judge(pid)
        except (ProcessGoneError, PermissionError):
            return None
        if isinstance(judged, Target):
            self._unwanted.pop(pid, None)
            self._targets[pid] = judged
            return judged
        if known is not None and known.refusal.start_ticks == judged.start_ticks:
            known.refusal, known.look_again_at = judged, known.look_again_at * 2
        else:
            self._unwanted[pid] = _Unwanted(judged)
        return None

    def judge(self, pid: int) -> Target | Refusal:
        """Read one process, select and name it, or say why not. Raises ProcessGoneError, PermissionError."""
        stat = procfs.stat(pid)
        cmdline = procfs.cmdline(pid)
        if not cmdline or stat.state in "ZX":
            return Refusal(pid, stat.start_ticks, "a kernel thread or an ended process")
        if self._is_own(stat):
            return Refusal(pid, stat.start_ticks, "part of the agent", None, cmdline)
        candidate = Candidate(pid, cmdline, procfs.environ(pid), procfs.user_id(pid), procfs.cgroup(pid))
        selector = first_match(candidate, self.selectors)
        if selector is None:
            return Refusal(pid, stat.start_ticks, "no selector matches", None, cmdline)
        runtime = runtime_kind.runtime_of(pid)
        if runtime is None:
            return Refusal(pid, stat.start_ticks, "neither Python nor Ruby", None, cmdline)
        labels = identify(selector.labels, candidate.environ, cmdline, self.host)
        process = Process(
            service=labels.service,
            environment=labels.environment,
            version=labels.version,
            variant=labels.variant,
            instance=labels.instance,
            host=self.host,
            pid=pid,
            started_unix_ns=procfs.started_unix_ns(stat.start_ticks),
            language=runtime.language,
            runtime_version=runtime.version,
            container=procfs.container_of(candidate.cgroup),
        )
        return Target(process, stat.start_ticks, runtime, labels, procfs.working_folder(pid))

    def _is_own(self, stat: procfs.Stat) -> bool:
        """Whether a process is the agent or was started by it, at any depth."""
        while stat.pid != self.own_pid:
            if stat.parent <= 1:
                return False
            try:
                stat = procfs.stat(stat.parent)
            except ProcessGoneError:
                return False
        return True


def _replaced(target: Target) -> bool:
    """Whether the pid now belongs to another process."""
    try:
        return procfs.stat(target.process.pid).start_ticks != target.start_ticks
    except ProcessGoneError:
        return True
