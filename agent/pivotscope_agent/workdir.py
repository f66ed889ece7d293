"""A private folder for the samplers' outputs, in memory where there is a memory file system.

The agent that made it holds it by a lock, which ends with the agent however it ends. So the next one finds what was
left, and what of it still runs.
"""

import fcntl
import logging
import os
import shutil
import tempfile
from pathlib import Path

from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.samplers import sweep
from pivotscope_agent.targets import procfs

log = logging.getLogger(__name__)

_PREFIX = "pivotscope-agent-"
_MEMORY = Path("/dev/shm")  # noqa: S108 - only folders made by mkdtemp are used in it
_held: dict[Path, int] = {}


def create() -> Path:
    """Make a folder that only this user can enter, and clear away what killed agents of this user left."""
    parent = _MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    for left in parent.glob(f"{_PREFIX}*"):
        if left.stat().st_uid == os.geteuid() and _is_left(left):
            _clear(left)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    handle = _lock(folder)
    if handle is not None:
        _held[folder] = handle
    return folder


def remove(folder: Path) -> None:
    """End what still samples into the folder, and remove it."""
    _clear(folder)
    handle = _held.pop(folder, None)
    if handle is not None:
        os.close(handle)


def _clear(folder: Path) -> None:
    ended = sweep.end_samplers(folder)
    if ended:
        log.warning("%d samplers outlived their agent and were ended", ended)
    for pid in sweep.release_left(folder):
        log.warning("process %d was left stopped by a sampler and was set going again", pid)
    shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """Whether the agent that made a folder has ended. In a container its pid may be unknown here, or another's."""
    pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
    if not pid.isdigit() or _could_have_made(int(pid), folder):
        return False
    handle = _lock(folder)
    if handle is None:
        return False
    os.close(handle)
    return True


def _could_have_made(pid: int, folder: Path) -> bool:
    try:
        found = procfs.stat(pid)
    except ProcessGoneError:
        return False
    began = procfs.started_unix_ns(found.start_ticks)
    return found.state not in "ZX" and began <= folder.stat().st_mtime_ns + 2_000_000_000


def _lock(folder: Path) -> int | None:
    """Hold a folder; None when another agent does, or when it is gone."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
