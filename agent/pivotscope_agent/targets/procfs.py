"""Processes as /proc tells of them. Nothing here attaches to a process or stops it."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pivotscope_agent.errors import ProcessGoneError

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_CLOCK_SCHED = 2
_BLOCK = 64 << 10


@dataclass(frozen=True, slots=True)
class Stat:
    """What /proc/PID/stat tells. CPU in nanoseconds at the kernel's 10 ms ticks, memory in bytes.

    `start_ticks` since boot names the process together with its pid. `image` changes when it executes another
    program, for the kernel lays each out anew; zeros where it may not be read.
    """

    pid: int
    name: str
    state: str
    parent: int
    user_ns: int
    system_ns: int
    threads: int
    start_ticks: int
    resident_bytes: int
    image: tuple[int, int] = (0, 0)

    @property
    def ended(self) -> bool:
        """Whether it only waits for its parent to take note of its end; threads may outlive the first one."""
        return self.state in "ZX" and self.threads <= 1


def parse_stat(text: str) -> Stat:
    """Read one line of /proc/PID/stat (proc(5)); the name may hold spaces and parentheses."""
    pid, _, rest = text.partition(" (")
    name, _, tail = rest.rpartition(") ")
    fields = tail.split()
    return Stat(
        pid=int(pid),
        name=name,
        state=fields[0],
        parent=int(fields[1]),
        user_ns=int(fields[11]) * _TICK_NS,
        system_ns=int(fields[12]) * _TICK_NS,
        threads=int(fields[17]),
        start_ticks=int(fields[19]),
        resident_bytes=int(fields[21]) * _PAGE,
        image=(int(fields[23]), int(fields[25])),
    )


def pids(root: Path = Path("/proc")) -> frozenset[int]:
    """Every process that is visible now."""
    return frozenset(int(name) for name in os.listdir(root) if name.isdigit())  # noqa: PTH208 - names only, 10× faster


def stat(pid: int) -> Stat:
    """State, parent, CPU, memory and start of a process. Raises ProcessGoneError."""
    return parse_stat(_record(pid, "stat").decode("utf-8", "surrogateescape"))


def cmdline(pid: int) -> tuple[str, ...]:
    """The process's arguments; empty for kernel threads and zombies. Raises ProcessGoneError."""
    text = _text(pid, "cmdline")
    return tuple(text.rstrip("\0").split("\0")) if text else ()


def environ(pid: int) -> Mapping[str, str]:
    """The environment that the process was started with; empty where it may not be read. Raises ProcessGoneError."""
    try:
        text = _text(pid, "environ")
    except PermissionError:
        return {}
    pairs = (item.partition("=") for item in text.split("\0") if "=" in item)
    return {name: value for name, _, value in pairs}


def cgroup(pid: int) -> str:
    """The process's control groups, a line each. Raises ProcessGoneError."""
    return _text(pid, "cgroup")


def mounts(pid: int) -> str:
    """The process's mounts, a line each (/proc/PID/mountinfo); empty where they may not be read."""
    try:
        return _text(pid, "mountinfo")
    except (PermissionError, ProcessGoneError):
        return ""


def user_id(pid: int) -> int:
    """Effective user of the process. Raises ProcessGoneError."""
    try:
        return os.stat(f"/proc/{pid}").st_uid  # noqa: PTH116 - asked of each new process
    except FileNotFoundError:
        raise _gone(pid) from None


def executable(pid: int) -> str:
    """Path of the running program in its own mount namespace; empty where it may not be read."""
    try:
        return str(Path(f"/proc/{pid}/exe").readlink()).removesuffix(" (deleted)")
    except (PermissionError, FileNotFoundError, ProcessLookupError):
        return ""


def working_folder(pid: int) -> str:
    """Where the process stands, as it sees it; empty where it may not be read."""
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except (PermissionError, FileNotFoundError, ProcessLookupError):
        return ""


def view(pid: int) -> tuple[str, str]:
    """The process's root folder and mount namespace, empty where they may not be read."""
    found = []
    for name in ("root", "ns/mnt"):
        try:
            found.append(str(Path(f"/proc/{pid}/{name}").readlink()))
        except OSError:
            found.append("")
    return found[0], found[1]


def mapped_files(pid: int) -> tuple[str, ...]:
    """Files mapped into the process, each once; empty where that may not be read. Raises ProcessGoneError."""
    try:
        text = _text(pid, "maps")
    except PermissionError:
        return ()
    fields = (line.split(maxsplit=5) for line in text.splitlines())
    return tuple(dict.fromkeys(f[5] for f in fields if len(f) == 6 and f[5].startswith("/")))


def io_bytes(pid: int) -> tuple[int, int]:
    """Bytes read from and written to storage since the start; zeros where that may not be read."""
    try:
        text = _record(pid, "io").decode("ascii")
    except (PermissionError, ProcessGoneError):
        return 0, 0
    values = dict(line.split(": ") for line in text.splitlines())
    return int(values["read_bytes"]), int(values["write_bytes"])


def proportional_bytes(pid: int) -> int:
    """Proportional set size: pages shared by n processes count 1/n. 0 where it may not be read.

    The kernel walks the page tables for it: ask now and then only.
    """
    try:
        text = _text(pid, "smaps_rollup")
    except (PermissionError, ProcessGoneError):
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def cpu_ns(pid: int) -> int:
    """CPU time of all threads, ended ones included, in nanoseconds. Raises ProcessGoneError.

    The process's CPU clock (clock_getcpuclockid(3)) is the exact sum that utime + stime of
    /proc/PID/stat round down to 10 ms ticks; any user may read it.
    """
    try:
        return time.clock_gettime_ns((~pid << 3) | _CLOCK_SCHED)
    except OSError:
        raise _gone(pid) from None


def thread_ids(pid: int) -> list[int]:
    """Threads of the process, oldest first; empty once it has ended."""
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]  # noqa: PTH208 - names only, 10× faster
    except OSError:
        return []


def waits(pid: int, thread: int) -> tuple[int, int]:
    """Nanoseconds that a thread waited in run queues, and how often it was given a processor.

    Zeros where schedstats are switched off. Raises ProcessGoneError, also where the kernel was built without them.
    Source: sched-stats.rst of the kernel's documentation, /proc/<pid>/schedstat.
    """
    fields = _record(pid, f"task/{thread}/schedstat").split()
    return int(fields[1]), int(fields[2])


def thread_state(pid: int, thread: int) -> str:
    """State of a thread by its letter, `R` running or about to, `t` held by a tracer; X once it has ended."""
    try:
        line = _record(pid, f"task/{thread}/stat")
    except (ProcessGoneError, PermissionError):
        return "X"
    return chr(line[line.rindex(b") ") + 2])


def work_ns(pid: int) -> int:
    """CPU of the process's living threads and their waits for a processor, in nanoseconds; 0 once it has ended."""
    total = 0
    for thread in thread_ids(pid):
        with suppress(ProcessGoneError, PermissionError):
            ran, waited, _ = _record(pid, f"task/{thread}/schedstat").split()
            total += int(ran) + int(waited)
    return total


def preemptions(pid: int, thread: int) -> int:
    """How often a thread lost its processor while it had work (proc_pid_status(5)); 0 where the kernel does not tell.

    Raises ProcessGoneError.
    """
    _, found, value = _record(pid, f"task/{thread}/status").rpartition(b"nonvoluntary_ctxt_switches:")
    return int(value.split()[0]) if found else 0


def may_attach(pid: int) -> bool:
    """Whether the kernel would let us trace the process. Opening its memory asks the same question without attaching.

    Source: ptrace(2), PTRACE_MODE_ATTACH; it includes Yama and capabilities.
    """
    try:
        handle = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    os.close(handle)
    return True


def started_unix_ns(start_ticks: int) -> int:
    """When a process began, from its start in ticks since boot; whole seconds of boot time keep it stable."""
    return boot_unix_seconds() * 1_000_000_000 + start_ticks * _TICK_NS


def now_ticks() -> int:
    """Now, in ticks since boot."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // _TICK_NS


def boot_unix_seconds() -> int:
    """When the machine was started."""
    for line in Path("/proc/stat").read_text("ascii").splitlines():
        if line.startswith("btime "):
            return int(line.split()[1])
    message = "/proc/stat has no btime line; is /proc mounted?"
    raise OSError(message)


def _record(pid: int, name: str) -> bytes:
    """A file that the kernel makes in one piece: one read gives all of it. Raises ProcessGoneError.

    System calls without a file object: a window's edge reads two for each thread.
    """
    try:
        handle = os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(handle, _BLOCK)
        finally:
            os.close(handle)
    except (FileNotFoundError, ProcessLookupError):
        raise _gone(pid) from None


def _text(pid: int, name: str) -> str:
    """A file of a process that may come in several pieces. Raises ProcessGoneError."""
    blocks = []
    try:
        handle = os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            while block := os.read(handle, _BLOCK):
                blocks.append(block)
        finally:
            os.close(handle)
    except (FileNotFoundError, ProcessLookupError):
        raise _gone(pid) from None
    return b"".join(blocks).decode("utf-8", "surrogateescape")


def _gone(pid: int) -> ProcessGoneError:
    return ProcessGoneError(f"process {pid} has ended")
