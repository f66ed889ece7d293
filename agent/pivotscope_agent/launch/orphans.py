"""Processes that lost their parents: the first process of a container inherits them, and takes note of their end."""

import os
from contextlib import suppress

from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.targets import procfs

FIRST = 1
"""Pid of the process that inherits the others."""
EVERY_S = 5.0


class Orphans:
    """Reaps what nobody else does. The agent's own children are reaped at once by those who started them."""

    def __init__(self, program: int) -> None:
        self._program = program
        self._before: set[int] = set()

    def look(self) -> None:
        """Reap children that had ended at the last look already; never the program, whose end is waited for."""
        ended = {pid for pid in procfs.pids() if pid != self._program and _is_ended_child(pid)}
        for pid in ended & self._before:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        self._before = ended


def _is_ended_child(pid: int) -> bool:
    try:
        stat = procfs.stat(pid)
    except (ProcessGoneError, PermissionError):
        return False
    return stat.parent == os.getpid() and stat.ended
