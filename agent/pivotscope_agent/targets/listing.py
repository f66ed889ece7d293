"""Which processes there are: /proc is listed only when one may have begun since the last time."""

import os
from pathlib import Path

from pivotscope_agent.targets import procfs


class Listing:
    """The pids as they were listed last: of processes that ended some are still there, none that began is missing.

    /proc/loadavg (proc_loadavg(5)) ends in the newest pid of the reader's namespace, of threads too: a tenth of what a
    listing costs. Where something else stands in its place, or /proc is another namespace's, every call lists.
    """

    def __init__(self, root: Path = Path("/proc")) -> None:
        self._root = root
        self._trusted = _tells_of_us(root)
        self._newest = 0
        self._settled = False
        self._pids: frozenset[int] = frozenset()

    def pids(self) -> frozenset[int]:
        """Every process that is visible now; the very same set where none can have begun."""
        newest = self._read() if self._trusted else 0
        changed = not newest or newest != self._newest
        # A pid is given out a moment before its process can be seen: after a change, the next call lists once more.
        if changed or not self._settled:
            self._pids = procfs.pids(self._root)
        self._newest, self._settled = newest, not changed
        return self._pids

    def _read(self) -> int:
        handle = os.open(self._root / "loadavg", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return int(os.read(handle, 200).split()[-1])
        finally:
            os.close(handle)


def _tells_of_us(root: Path) -> bool:
    """Whether the kernel itself answers, for the namespace that `root` shows: lxcfs mounts a file of its own there."""
    try:
        own = (root / "loadavg").stat().st_dev == (root / "self/stat").stat().st_dev
        return own and (root / "self").readlink().name == str(os.getpid())
    except OSError:
        return False
