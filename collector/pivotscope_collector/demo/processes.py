"""The processes that the demo starts, and their end: all of them, whatever happens."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pivotscope_collector.errors import PivotscopeError

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 10.0
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Processes:
    """Programs in process groups of their own; stopped in the reverse order of their start."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path, *, keep: bool = False
    ) -> int:
        """Start a program whose output goes to `<logs>/<name>.log`; its pid. It ends with us, unless kept."""
        with (self._logs / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=None if keep else _die_with_parent,  # noqa: PLW1509 - no threads run when it does
            )
        self._running[name] = process
        return process.pid

    def check(self) -> None:
        """Raise when a program ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise PivotscopeError(f"{name} ended with {process.returncode}: {self.tail(name)}")

    def tail(self, name: str) -> str:
        """The last lines that a program printed."""
        text = (self._logs / f"{name}.log").read_text("utf-8", "replace")
        return " / ".join(text.strip().splitlines()[-4:])

    def stop(self, name: str) -> None:
        """Stop one program and its group: SIGTERM, then SIGKILL."""
        process = self._running.pop(name)
        _signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        _signal_group(process, signal.SIGKILL)
        process.wait()

    def stop_all(self) -> None:
        """Stop everything, the last started first."""
        for name in reversed(list(self._running)):
            self.stop(name)

    def pids(self) -> dict[str, int]:
        """Names and pids of what runs."""
        return {name: process.pid for name, process in self._running.items()}


def wait_until(condition: Callable[[], bool], seconds: float, what: str, processes: Processes) -> None:
    """Ask every tenth of a second until it holds; an error that names what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        processes.check()
        if time.monotonic() > deadline:
            raise PivotscopeError(f"waited {seconds:.0f} s for {what}, in vain; the logs tell more")
        time.sleep(0.1)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
