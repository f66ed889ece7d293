"""Sets a process going again that our killed sampler left stopped, and only such a one."""

import os
import signal
from pathlib import Path

from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.targets import procfs

STOPPED = "T"
"""State of a process stopped by a signal; one held by a living tracer is in state t."""


def is_stopped(pid: int) -> bool:
    """Whether the process, or a thread of it, is stopped by a signal."""
    try:
        if procfs.stat(pid).state == STOPPED:
            return True
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return any(_state(task / "stat") == STOPPED for task in tasks)
    except (ProcessGoneError, FileNotFoundError, ProcessLookupError):
        return False


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


def _state(path: Path) -> str:
    try:
        return procfs.parse_stat(path.read_text("utf-8", "surrogateescape")).state
    except (FileNotFoundError, ProcessLookupError):
        return ""
