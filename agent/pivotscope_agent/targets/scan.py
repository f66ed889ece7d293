"""Finds the processes to sample: compares the list of pids, and reads only what is new or due."""

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from pivotscope.profile.window import Process

from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.targets import container, procfs, runtime_kind
from pivotscope_agent.targets.container import Container
from pivotscope_agent.targets.helper import spawned_by_multiprocessing, tracks_resources
from pivotscope_agent.targets.identity import identify, resource_attributes
from pivotscope_agent.targets.inside import read_text
from pivotscope_agent.targets.listing import Listing
from pivotscope_agent.targets.refusal import Refusal, Why
from pivotscope_agent.targets.selector import Candidate, Selector, first_match
from pivotscope_agent.targets.target import Target

_SETTLED_SCANS = 32
"""A young process may still become what it will be: it is judged again after 1, 2, 4 … scans up to this. Afterwards
it is judged again when it executes another program, which is looked for once in so many scans."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the scan before. `ended` are keys of targets."""

    found: tuple[Target, ...] = ()
    ended: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class _Unwanted:
    """A process that is left alone. `since` is the scan that found it, `due` the one that looks at it again."""

    refusal: Refusal
    image: tuple[int, int]
    since: int
    due: int

    def settle(self) -> None:
        """Look again later, and later each time."""
        self.due += min(self.due - self.since, _SETTLED_SCANS)


@dataclass(slots=True)
class Scanner:
    """Keeps the picture of who runs here. `scan` costs a look at each target and at each new process."""

    selectors: Sequence[Selector]
    host: str = field(default_factory=socket.gethostname)
    own_pid: int = field(default_factory=os.getpid)
    own: Container | None = None
    since_ticks: int = field(default_factory=procfs.now_ticks)
    listing: Listing = field(default_factory=Listing)
    _present: frozenset[int] = frozenset()
    _stats: dict[int, procfs.Stat] = field(default_factory=dict)
    _targets: dict[int, Target] = field(default_factory=dict)
    _unwanted: dict[int, _Unwanted] = field(default_factory=dict)
    _scans: int = 0
    _due: list[tuple[int, int]] = field(default_factory=list)

    def scan(self) -> Changes:
        """Look once, and tell what came and what went."""
        self._stats.clear()
        self._scans += 1
        before, self._present = self._present, self.listing.pids()
        ended = [self._targets.pop(pid) for pid, target in list(self._targets.items()) if _is_over(target)]
        # Who is known may have become another program.
        candidates = self._due_now() | {target.process.pid for target in ended}
        if self._present is not before:
            for pid in self._unwanted.keys() - self._present:
                del self._unwanted[pid]
            candidates |= self._present - self._targets.keys() - self._unwanted.keys()
        found = [target for pid in sorted(candidates) if (target := self._look(pid)) is not None]
        # What a process used before it executed another program has been accounted for.
        known = {target.key for target in ended}
        found = [replace(target, newborn=False) if target.key in known else target for target in found]
        self._targets.update({target.process.pid: target for target in found})
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

    def _due_now(self) -> set[int]:
        """Unwanted processes whose time for another look has come; nobody else is touched."""
        pids = set()
        while self._due and self._due[0][0] <= self._scans:
            due, pid = heappop(self._due)
            known = self._unwanted.get(pid)
            if known is not None and known.due == due:
                pids.add(pid)
        return pids

    def _look_again(self, pid: int, known: _Unwanted) -> None:
        """Put it in line; what the agent started stays its own."""
        if known.refusal.why is not Why.OWN:
            heappush(self._due, (known.due, pid))

    def _look(self, pid: int) -> Target | None:
        known = self._unwanted.get(pid)
        try:
            stat = self._stats[pid] = procfs.stat(pid)
            if known is not None and known.refusal.start_ticks == stat.start_ticks:
                known.settle()
                if known.image == stat.image and self._scans - known.since > _SETTLED_SCANS:
                    self._look_again(pid, known)
                    return None
            else:
                known = None
            judged = self._judge(stat)
        except ProcessGoneError:
            self._unwanted.pop(pid, None)
            return None
        except PermissionError:
            # Nothing is known of it: the next scan looks at everything anew.
            self._unwanted.pop(pid, None)
            self._present = frozenset()
            return None
        if isinstance(judged, Target):
            self._unwanted.pop(pid, None)
            self._targets[pid] = judged
            return judged
        if known is None:
            known = self._unwanted[pid] = _Unwanted(judged, stat.image, self._scans, self._scans + 1)
        else:
            known.refusal, known.image = judged, stat.image
        self._look_again(pid, known)
        return None

    def judge(self, pid: int) -> Target | Refusal:
        """Read one process, select and name it, or say why not. Raises ProcessGoneError, PermissionError."""
        self._stats.clear()
        return self._judge(procfs.stat(pid))

    def _judge(self, stat: procfs.Stat) -> Target | Refusal:
        pid = stat.pid
        cmdline = procfs.cmdline(pid)
        if not cmdline or stat.ended:
            return Refusal(pid, stat.start_ticks, Why.NO_PROGRAM)
        ancestors = tuple(self._ancestors(stat))
        if self._is_own(ancestors):
            return Refusal(pid, stat.start_ticks, Why.OWN, cmdline)
        if tracks_resources(cmdline):
            return Refusal(pid, stat.start_ticks, Why.HELPER, cmdline)
        # Selected and named by the command that people know, not by the one that started a copy of it.
        known_as = _known_as(cmdline, ancestors)
        candidate = Candidate(
            pid,
            known_as,
            procfs.environ(pid),
            procfs.user_id(pid),
            procfs.cgroup(pid),
            frozenset(one.pid for one in ancestors),
        )
        selector = first_match(candidate, self.selectors)
        if selector is None:
            return Refusal(pid, stat.start_ticks, Why.NOT_SELECTED, cmdline)
        runtime = runtime_kind.runtime_of(pid)
        if runtime is None:
            return Refusal(pid, stat.start_ticks, Why.OTHER_PROGRAM, cmdline)
        return self._target(stat, candidate, selector, runtime)

    def _target(
        self, stat: procfs.Stat, candidate: Candidate, selector: Selector, runtime: runtime_kind.Runtime
    ) -> Target:
        pid = stat.pid
        where = self._container(pid, candidate.cgroup, candidate.environ)
        labels = identify(selector.labels, candidate.environ, candidate.cmdline, where.pod or self.host)
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
            container=str(where),
        )
        return Target(
            process,
            stat.start_ticks,
            runtime,
            labels,
            working_folder=procfs.working_folder(pid),
            container=where,
            image=stat.image,
            view=procfs.view(pid),
            newborn=stat.start_ticks > self.since_ticks,
        )

    def _container(self, pid: int, cgroups: str, environ: Mapping[str, str]) -> Container:
        if self.own is None:
            self.own = Container()
            with suppress(ProcessGoneError, PermissionError):
                self.own = self._container(self.own_pid, procfs.cgroup(self.own_pid), os.environ)
        return container.locate(
            cgroups,
            mounts=lambda: procfs.mounts(pid),
            environ=environ,
            resource=resource_attributes(environ.get("OTEL_RESOURCE_ATTRIBUTES", "")),
            read_file=lambda path: read_text(f"/proc/{pid}/root", path),
            own=self.own,
        )

    def _ancestors(self, stat: procfs.Stat) -> Iterator[procfs.Stat]:
        """The process itself, its parent, and so on; up to the first process of all. Each is read once a scan."""
        yield stat
        while stat.parent > 0:
            parent = self._stats.get(stat.parent)
            if parent is None:
                try:
                    parent = self._stats[stat.parent] = procfs.stat(stat.parent)
                except ProcessGoneError:
                    return
            stat = parent
            yield stat

    def _is_own(self, ancestors: tuple[procfs.Stat, ...]) -> bool:
        """Whether a process is the agent or was started by it, at any depth; not what it was told to run."""
        told = {selector.tree for selector in self.selectors if selector.tree}
        for one in ancestors:
            if one.pid in told:
                return False
            if one.pid == self.own_pid:
                return True
        return False


def _known_as(cmdline: tuple[str, ...], ancestors: tuple[procfs.Stat, ...]) -> tuple[str, ...]:
    """The command that a process is known by: a worker that multiprocessing started is known by its server's."""
    for parent in ancestors[1:]:
        if not spawned_by_multiprocessing(cmdline):
            break
        try:
            cmdline = procfs.cmdline(parent.pid) or cmdline
        except ProcessGoneError:
            break
    return cmdline


def _is_over(target: Target) -> bool:
    """Whether the process ended, its pid belongs to another one, or it runs another program now."""
    try:
        now = procfs.stat(target.process.pid)
    except ProcessGoneError:
        return True
    if now.start_ticks != target.start_ticks or now.ended:
        return True
    return now.image != target.image and any(now.image) and any(target.image)
