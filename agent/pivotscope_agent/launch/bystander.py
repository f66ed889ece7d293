"""Tells signals that were sent to a whole process group from those that were sent to the agent alone.

A program that runs in the agent's place is in the agent's process group, so that a terminal, a shell and a pager treat
it as if there were no agent. What is sent to the group (Ctrl-C, `kill %1`, `timeout`) reaches it without help; passed
on, it would come twice, and for many servers the second time means: at once, without a graceful end. No system call
tells a receiver how a signal was addressed. A third process in the group that does nothing but receive does.
"""

import ctypes
import os
import signal
import time

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class Bystander:
    """A process that writes the number of every signal that it receives to `reports`, a byte each, non-blocking."""

    def __init__(self, pid: int, reports: int) -> None:
        self._pid = pid
        self.reports = reports

    @classmethod
    def start(cls) -> "Bystander":
        """Fork it. Call before there are threads."""
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        pid = os.fork()
        if pid == 0:
            _stand_by(writer, os.getppid())
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        os.close(writer)
        return cls(pid, reader)

    def received(self) -> list[int]:
        """Signals that came since the last time."""
        try:
            return list(os.read(self.reports, 4096))
        except BlockingIOError:
            return []

    def close(self) -> None:
        """End it."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self.reports)


def _stand_by(writer: int, parent: int) -> None:
    """In the child, with every signal blocked: report until killed. Holds nobody's files open."""
    try:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        os.closerange(3, writer)
        os.closerange(writer + 1, os.sysconf("SC_OPEN_MAX"))
        while os.getppid() == parent:
            number = signal.sigwait(signal.valid_signals() - {signal.SIGCHLD})
            try:
                os.write(writer, bytes([number]))
            except BlockingIOError:
                time.sleep(0.001)
    finally:
        os._exit(0)
