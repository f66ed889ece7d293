"""What samplers may leave behind: processes that stand still, and samplers that outlive their agent."""

import os
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.samplers.child import MARK
from pivotscope_agent.targets import procfs

STOPPED = "T"
"""State of a process stopped by a signal; one held by a living tracer is in state t."""
WAIT_S = 2.0
"""How long killed samplers may take to be gone."""


def is_stopped(pid: int) -> bool:
    """Whether the process, or a thread of it, is stopped by a signal."""
    try:
        if procfs.stat(pid).state == STOPPED:
            return True
    except ProcessGoneError:
        return False
    return any(procfs.thread_state(pid, thread) == STOPPED for thread in procfs.thread_ids(pid))


def release(pid: int, *, was_stopped: bool) -> bool:
    """Continue a process that was running before our sampler was killed and is stopped now; tell whether it was.

    One that somebody else had stopped stays as it was.
    """
    if was_stopped or not is_stopped(pid):
        return False
    try:
        os.kill(pid, signal.SIGCONT)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def samplers_of(folder: Path) -> list[int]:
    """Processes that were started as samplers with their output in a folder, and what those started."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for pid in procfs.pids() - {os.getpid()}:
        with suppress(ProcessGoneError, PermissionError):
            if any(_is_output(part, folder) for part in procfs.cmdline(pid)) or mark in _environ(pid):
                found.append(pid)
    return sorted(found)


def end_samplers(folder: Path) -> int:
    """Kill what still samples into a folder, and wait until it is gone; returns how many there were.

    The kernel kills samplers with their agent, except those with capabilities of their own, and what a sampler started.
    """
    pids = samplers_of(folder)
    deadline = time.monotonic() + WAIT_S
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            handle = os.pidfd_open(pid)
            try:
                # Looked at again through the handle: the pid may have become another process's.
                if pid in samplers_of(folder):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                    select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
            finally:
                os.close(handle)
    return len(pids)


def release_left(folder: Path) -> list[int]:
    """Set going the processes that samplers of a dead agent held, by the logs they left; returns their pids.

    A sampler is started for running processes only, and its log goes when it ends: what is stopped now was stopped by
    it, or by somebody else in the short time since.
    """
    released = []
    for log in folder.glob("*.log"):
        pid = log.name.partition("-")[0]
        with suppress(OSError, ProcessGoneError):
            if pid.isdigit() and _began_before(int(pid), log) and release(int(pid), was_stopped=False):
                released.append(int(pid))
    return released


def _is_output(argument: str, folder: Path) -> bool:
    return argument.startswith(f"{folder}/") and argument.endswith(".out")


def _environ(pid: int) -> tuple[bytes, ...]:
    try:
        return tuple(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    except OSError:
        return ()


def _began_before(pid: int, log: Path) -> bool:
    """Whether the process is the one that the log was written about; whole seconds are what both times have."""
    return procfs.started_unix_ns(procfs.stat(pid).start_ticks) <= log.stat().st_ctime_ns + 2_000_000_000
