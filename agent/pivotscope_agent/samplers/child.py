"""Runs one sampler at a time for its caller: starts it, stops it in time, and tells what it used."""

import asyncio
import ctypes
import os
import resource
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pivotscope_agent.clock import Clock
from pivotscope_agent.samplers.sampler import Ending
from pivotscope_agent.samplers.scheduling import run_soon

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_LARGEST_FILE = 16 << 20
_LARGEST_LOG = 64 << 10
MARK = "PIVOTSCOPE_SAMPLER_FOLDER"
"""Variable of a sampler's environment, handed on to what it starts: how a sweep knows them."""


class Child:
    """A running sampler. `stop` asks it to end and write what it has; the end is told by `wait`.

    It dies with the thread that started it, so start it from one that lives as long as the agent. What it started
    itself ends with it when it is waited for, or at the latest with a sweep.
    """

    def __init__(self, popen: "subprocess.Popen[bytes]", clock: Clock, output: Path, log: Path) -> None:
        self._popen = popen
        self._clock = clock
        self._output = output
        self._log = log
        self._started_ns = clock.monotonic_ns()
        self._killed = False
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()

    @classmethod
    def start(cls, command: Sequence[str], output: Path, clock: Clock) -> "Child":
        """Start a sampler whose messages go to a file beside `output`. Raises OSError."""
        log = output.with_suffix(".log")
        parent = os.getpid()
        try:
            with log.open("wb") as handle:
                popen = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=handle,
                    stderr=subprocess.STDOUT,
                    # Nothing of ours, secrets least of all, is the sampler's business.
                    env={
                        "PATH": os.environ.get("PATH", os.defpath),
                        "LC_ALL": "C.UTF-8",
                        MARK: str(output.parent),
                    },
                    start_new_session=True,
                    preexec_fn=lambda: _bind_to(parent),  # noqa: PLW1509 - system calls, no locks
                )
        except OSError:
            log.unlink(missing_ok=True)
            raise
        return cls(popen, clock, output, log)

    @property
    def pid(self) -> int:
        """The sampler's own process."""
        return self._popen.pid

    def stop(self) -> None:
        """Interrupt the sampler: it writes its output and ends. SIGTERM would lose the window."""
        if not self._ended.is_set() and not self._stopping.is_set():
            self._stopping.set()
            self._signal(signal.SIGINT)

    async def wait(self, deadline_s: float, grace_s: float) -> Ending:
        """Wait for the end; interrupt after `deadline_s`, kill `grace_s` after an interruption.

        Cancelled, it kills the sampler and reaps it before it lets go. Raises OSError where the kernel gives no handle.
        """
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            self._kill()
            self._reap()
            raise
        loop = asyncio.get_running_loop()
        loop.add_reader(handle, self._ended.set)
        try:
            await self._wait_until_ended(deadline_s, grace_s)
        except asyncio.CancelledError:
            self._kill()
            raise
        finally:
            loop.remove_reader(handle)
            os.close(handle)
            status, usage = self._reap()
        return Ending(
            status=status,
            log=_read(self._log, _LARGEST_LOG) or "",
            stacks=_read(self._output, _LARGEST_FILE),
            elapsed_ns=self._clock.monotonic_ns() - self._started_ns,
            cpu_ns=round((usage.ru_utime + usage.ru_stime) * 1e9),
            resident_bytes=usage.ru_maxrss * 1024,
            stopped=self._stopping.is_set(),
            killed=self._killed,
        )

    async def _wait_until_ended(self, deadline_s: float, grace_s: float) -> None:
        ended, stopping = (asyncio.ensure_future(event.wait()) for event in (self._ended, self._stopping))
        try:
            await asyncio.wait((ended, stopping), timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                self.stop()
                await asyncio.wait((ended,), timeout=grace_s)
            if not ended.done():
                self._kill()
                await ended
        finally:
            ended.cancel()
            stopping.cancel()

    def _kill(self) -> None:
        self._killed = True
        self._end_group()

    def _end_group(self) -> None:
        """Kill the sampler and what it started; until it is reaped, the group is surely its own."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _reap(self) -> tuple[int, resource.struct_rusage]:
        self._end_group()
        _, raw, usage = os.wait4(self.pid, 0)
        status = os.waitstatus_to_exitcode(raw)
        self._popen.returncode = status  # it was reaped here, for the sake of its resource usage
        return status, usage


def _bind_to(parent: int) -> None:
    """In the child: die with the agent, and bound what may be written. No allocation that could wait for a lock."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    run_soon()
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.getppid() != parent:
        os._exit(1)


def _read(path: Path, limit: int) -> str | None:
    """The text of a file and its removal; None where there is none."""
    try:
        with path.open("rb") as handle:
            text = handle.read(limit)
        path.unlink()
    except FileNotFoundError:
        return None
    return text.decode("utf-8", "replace")
