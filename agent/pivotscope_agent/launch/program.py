"""The program that runs in the agent's place, as the agent's child."""

import asyncio
import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

from pivotscope_agent.launch.bystander import Bystander
from pivotscope_agent.targets import procfs

NOT_FOUND, NOT_EXECUTABLE, BY_SIGNAL = 127, 126, 128
"""Exit codes as shells have them, for programs that could not be started or that a signal ended."""

GROUP_S = 0.05
"""How long a signal waits for the bystander's word before it is passed on."""
_OWN = frozenset({signal.SIGCHLD, signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ})
_FAULTS = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS})
_BY_TERMINAL = frozenset({signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
_ENDS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP})
_PR_SET_PTRACER = 0x59616D61
_LIBC = ctypes.CDLL(None, use_errno=True)


class Program:
    """A running program. It keeps the agent's terminal, process group, files and environment, and outlives the agent.

    `wait` returns when it has ended; what it used can be read until `reap`. A signal to end that arrives in between
    sets `hurry`. `environ` is what it was started with.
    """

    def __init__(self, popen: "subprocess.Popen[bytes]", bystander: Bystander, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.hurry = asyncio.Event()
        self._popen = popen
        self._bystander = bystander
        self._to_group: set[int] = set()
        self._ended = asyncio.Event()

    @classmethod
    def start(cls, command: Sequence[str]) -> "Program":
        """Start a command, and from now on pass signals to it. Raises OSError where it cannot be executed.

        Call on the running loop before there are threads. Signals that the agent was started to ignore are ignored
        by the program too, and not passed on.
        """
        loop = asyncio.get_running_loop()
        environ = dict(procfs.environ(os.getpid())) or dict(os.environ)
        bystander = Bystander.start()
        early: list[int] = []
        passed = [int(number) for number in signal.valid_signals() - _OWN - _FAULTS if not _is_ignored(number)]
        for number in passed:
            loop.add_signal_handler(number, early.append, number)
        try:
            popen = subprocess.Popen(
                list(command),
                close_fds=False,
                preexec_fn=lambda: _prepare(os.getppid(), environ),  # noqa: PLW1509 - there are no threads yet
            )
        except (OSError, ValueError):
            bystander.close()
            raise
        program = cls(popen, bystander, environ)
        for number in passed:
            loop.add_signal_handler(number, program._receive, number)
        loop.add_signal_handler(signal.SIGCHLD, program._follow_stop)
        for signalled in early:
            program._receive(signalled)
        return program

    @property
    def pid(self) -> int:
        """Of the program; of nobody else until it is reaped."""
        return self._popen.pid

    async def wait(self) -> None:
        """Wait until it has ended, however it did."""
        handle = os.pidfd_open(self.pid)
        loop = asyncio.get_running_loop()
        loop.add_reader(handle, self._ended.set)
        try:
            await self._ended.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)

    def reap(self) -> int:
        """Take note of its end: its exit code, or minus the signal that ended it."""
        status = self._popen.wait()
        self._bystander.close()
        return status

    def _receive(self, number: int) -> None:
        """The agent got a signal: pass it on, unless the program got it as well."""
        asyncio.get_running_loop().call_later(GROUP_S, self._pass_on, number)

    def _pass_on(self, number: int) -> None:
        self._to_group.update(self._bystander.received())
        if number in self._to_group:
            self._to_group.discard(number)
        elif self._ended.is_set():
            if number in _ENDS:
                self.hurry.set()
        else:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)

    def _follow_stop(self) -> None:
        """Stop where the terminal stopped the program: the shell waits for the agent, and takes the terminal back.

        When the shell continues the job, it continues both.
        """
        with suppress(ChildProcessError):
            found = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WCONTINUED | os.WNOHANG)
            if found is None or found.si_code != os.CLD_STOPPED:
                return
            if found.si_status in {int(number) for number in _BY_TERMINAL} and _has_terminal():
                os.kill(os.getpid(), signal.SIGSTOP)


def let_go_of_streams(*, errors: bool) -> None:
    """Give up the agent's hold of input and output (and `errors`): their other ends see the program's end at once."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2) if errors else (0, 1):
        os.dup2(nothing, number)
    os.close(nothing)


def exit_code(problem: OSError) -> int:
    """The exit code for a program that could not be started."""
    return NOT_FOUND if isinstance(problem, FileNotFoundError) else NOT_EXECUTABLE


def _prepare(agent: int, environ: Mapping[str, str]) -> None:
    """In the child, before the program: let the agent's samplers trace it, and give it what the agent was given.

    Under Yama's scope 1 only ancestors may trace, and samplers are the program's siblings.
    """
    _LIBC.prctl(_PR_SET_PTRACER, ctypes.c_ulong(agent))
    os.environ.clear()
    os.environ.update(environ)
    if environ.get("LISTEN_PID") == str(agent):
        # Sockets handed over by systemd are meant for the process of this pid (sd_listen_fds(3)).
        os.environ["LISTEN_PID"] = str(os.getpid())


def _is_ignored(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
