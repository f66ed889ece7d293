"""What a process has used so far, read so that no CPU time is lost or counted twice."""

from contextlib import suppress
from dataclasses import dataclass, replace

from pivotscope.profile.window import Usage

from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.targets import procfs
from pivotscope_agent.targets.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Reading:
    """Totals of a process since its start: CPU in nanoseconds, memory and I/O in bytes.

    `run_delay_ns` counts from the meter's first reading.
    """

    cpu_ns: int
    system_ns: int
    resident_bytes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0
    threads: int = 0
    state: str = "R"
    run_delay_ns: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """An edge between two windows."""

    unix_ns: int
    monotonic_ns: int
    reading: Reading


class Meter:
    """Cumulative counters of one process, named by pid and start.

    `read` raises ProcessGoneError once the process has ended; `last` is then the final reading.
    """

    def __init__(self, pid: int, start_ticks: int) -> None:
        self._pid = pid
        self._start_ticks = start_ticks
        self._waiting = Waiting(pid)
        self._seen_ns = 0
        self.last = Reading(0, 0)

    def glance(self) -> None:
        """Read the CPU clock alone, in a microsecond: should the process end, that much of its CPU is not lost."""
        with suppress(ProcessGoneError):
            self._seen_ns = max(self._seen_ns, procfs.cpu_ns(self._pid))

    def read(self, *, waits: bool = False) -> Reading:
        """Read the counters now; CPU never goes back. Waits, a file a thread, stay as they were unless asked for."""
        now = self._stat()
        total = max(self.last.cpu_ns, self._seen_ns)
        read, written = procfs.io_bytes(self._pid)
        self.last = Reading(
            cpu_ns=total,
            system_ns=_between(now.system_ns, self.last.system_ns, self.last.system_ns + total - self.last.cpu_ns),
            resident_bytes=now.resident_bytes,
            read_bytes=max(read, self.last.read_bytes),
            written_bytes=max(written, self.last.written_bytes),
            threads=now.threads,
            state=now.state,
            run_delay_ns=self._waiting.read() if waits else self.last.run_delay_ns,
        )
        return self.last

    def _stat(self) -> procfs.Stat:
        """What the kernel tells of it now. Raises ProcessGoneError, with all that is known of its CPU in `last`."""
        with suppress(ProcessGoneError):
            now = procfs.stat(self._pid)
            if now.start_ticks == self._start_ticks:
                # Until its parent takes note of its end, its clock tells what it used in all; nothing else is left.
                self.glance()
                if not now.ended:
                    return now
        self.last = replace(self.last, cpu_ns=max(self.last.cpu_ns, self._seen_ns))
        raise ProcessGoneError(f"process {self._pid} has ended")


def usage_between(before: Reading, after: Reading, proportional_bytes: int = 0) -> Usage:
    """What was used from one reading to the next; memory and threads as they stood at the end."""
    cpu = after.cpu_ns - before.cpu_ns
    system = min(cpu, after.system_ns - before.system_ns)
    return Usage(
        cpu_user_ns=cpu - system,
        cpu_system_ns=system,
        resident_bytes=after.resident_bytes,
        proportional_bytes=proportional_bytes,
        read_bytes=after.read_bytes - before.read_bytes,
        written_bytes=after.written_bytes - before.written_bytes,
        threads=after.threads,
        run_delay_ns=after.run_delay_ns - before.run_delay_ns,
    )


def _between(value: int, low: int, high: int) -> int:
    """The kernel's system time moves in ticks; keep it within what the exact clock allows."""
    return max(low, min(value, high))
