"""What the kernel lets the agent do with other processes, what is missing for it, and what is more than needed."""

import ctypes
import os
import pwd
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pivotscope_agent.checks import Check, State
from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.targets import procfs
from pivotscope_agent.targets.target import Target

CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE = 2, 19
USEFUL = 1 << CAP_SYS_PTRACE | 1 << CAP_DAC_READ_SEARCH
"""Tracing, and reading source files that are not the agent's: there is no use for any other capability."""
_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")

_GRANT = (
    "give it CAP_SYS_PTRACE (systemd: AmbientCapabilities=CAP_SYS_PTRACE; docker: --cap-add SYS_PTRACE; "
    "Kubernetes: securityContext.capabilities.add)"
)


@dataclass(frozen=True, slots=True)
class Privileges:
    """Who the agent is to the kernel. Capabilities are sets of bits; `ambient` ones go on to the samplers."""

    user: int
    effective: int = 0
    ambient: int = 0
    yama_scope: int = 0
    """0 where there is no Yama."""

    @property
    def traces(self) -> bool:
        """Whether samplers hold CAP_SYS_PTRACE. Those of root get what root has; others what is ambient."""
        return bool((self.effective if self.user == 0 else self.ambient) >> CAP_SYS_PTRACE & 1)


def read() -> Privileges:
    """Those of this process."""
    scope = 0
    with suppress(OSError, ValueError):
        scope = int(_YAMA.read_text("ascii"))
    status = Path("/proc/self/status").read_text("ascii", "replace")
    return Privileges(os.geteuid(), capabilities(status, "CapEff"), capabilities(status, "CapAmb"), scope)


def capabilities(status: str, name: str) -> int:
    """One set of capabilities, from the text of /proc/PID/status."""
    line = next((line for line in status.splitlines() if line.startswith(f"{name}:")), f"{name}: 0")
    return int(line.split()[1], 16)


def judge_tracing(own: Privileges, *, reads: bool = True) -> Check:
    """What the kernel allows in general; `reads` is whether it lets a process read memory by system call at all.

    Source: Documentation/admin-guide/LSM/Yama.rst, capabilities(7).
    """
    if not reads:
        fix = (
            "the seccomp profile of the container forbids it; allow process_vm_readv and ptrace "
            "(docker and Kubernetes do with the capability SYS_PTRACE added)"
        )
        return Check("tracing", State.MISSING, "process_vm_readv is forbidden", fix)
    if own.yama_scope >= 3:
        fix = "kernel.yama.ptrace_scope 3 forbids all tracing until the machine is started anew with a lower value"
        return Check("tracing", State.MISSING, f"Yama's ptrace_scope is {own.yama_scope}", fix)
    if own.traces:
        return Check("tracing", State.OK, f"user {own.user} holds CAP_SYS_PTRACE: processes of every user")
    if own.effective >> CAP_SYS_PTRACE & 1:
        found = "CAP_SYS_PTRACE is held by the agent alone: the samplers that it starts do not get it"
        return Check("tracing", State.MISSING, found, "make it ambient (systemd: AmbientCapabilities=CAP_SYS_PTRACE)")
    if own.yama_scope == 0:
        fix = f"run the agent as the processes' user, or {_GRANT}"
        return Check("tracing", State.OK, f"processes of user {own.user} only, without CAP_SYS_PTRACE", fix)
    return Check(
        "tracing", State.MISSING, f"Yama's ptrace_scope is {own.yama_scope} and CAP_SYS_PTRACE is not held", _GRANT
    )


def judge_targets(targets: Iterable[Target], own: Privileges) -> Check:
    """Whether processes are selected and can be traced; why not, by process."""
    found = tuple(targets)
    if not found:
        fix = "see `pivotscope-agent targets`; set PIVOTSCOPE_SERVICE for the processes, or give a selector"
        return Check("targets", State.WARNING, "no process is selected now", fix)
    denied = {target.process.pid: why_denied(target.process.pid, own) for target in found if not _may_attach(target)}
    if denied:
        some = "; ".join(f"{pid}: {why}" for pid, why in list(denied.items())[:5])
        fix = f"run as their user, or {_GRANT}; a sidecar also needs the pod's shareProcessNamespace"
        return Check("targets", State.MISSING, f"{len(denied)} of {len(found)} may not be traced: {some}", fix)
    unsupported = [target for target in found if target.runtime.unsupported]
    if unsupported:
        why = unsupported[0].runtime.unsupported
        found_text = f"{len(unsupported)} of {len(found)} cannot be sampled: {why}"
        return Check("targets", State.WARNING, found_text, "their CPU is counted all the same")
    return Check("targets", State.OK, f"{len(found)} selected, all can be traced")


def why_denied(pid: int, own: Privileges) -> str:
    """Why a process that may not be traced may not be: another user's, guarded by Yama, or not dumpable."""
    try:
        user = _real_user(pid)
    except (ProcessGoneError, OSError):
        return "it has ended"
    if user != own.user:
        return f"it runs as {_name(user)}, the agent as {_name(own.user)}"
    if own.yama_scope:
        return f"Yama's ptrace_scope is {own.yama_scope}"
    return "it is not dumpable, as after a change of user, or holds capabilities that the agent does not"


def judge_least(own: Privileges, users: frozenset[int]) -> Check:
    """Whether the agent holds more than it needs; `users` are those of the targets."""
    if not own.effective:
        return Check("privileges", State.OK, f"{_name(own.user)}, without capabilities")
    if len(users) == 1 and own.yama_scope == 0 and (user := next(iter(users))) != 0:
        advice = f"all processes are of {_name(user)}: run the agent as that user, without any capability"
        return Check("privileges", State.ADVICE, f"{_name(own.user)}, {_count(own.effective)}", advice)
    if own.effective & ~USEFUL:
        advice = (
            "CAP_SYS_PTRACE is enough (systemd: User=, AmbientCapabilities= and CapabilityBoundingSet=CAP_SYS_PTRACE; "
            "docker: --cap-drop ALL --cap-add SYS_PTRACE), and CAP_DAC_READ_SEARCH where sources are not readable"
        )
        return Check("privileges", State.ADVICE, f"{_name(own.user)}, {_count(own.effective)}", advice)
    return Check("privileges", State.OK, f"{_name(own.user)}, {_count(own.effective)}, all of use")


def users_of(targets: Iterable[Target]) -> frozenset[int]:
    """Users that the targets run as."""
    found = set()
    for target in targets:
        with suppress(ProcessGoneError, OSError):
            found.add(_real_user(target.process.pid))
    return frozenset(found)


def may_read_memory() -> bool:
    """Whether the system call exists here that samplers read memory with: tried on the agent itself."""
    source, into = ctypes.create_string_buffer(b"x"), ctypes.create_string_buffer(1)
    local, remote = _Span(ctypes.addressof(into), 1), _Span(ctypes.addressof(source), 1)
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.process_vm_readv(os.getpid(), ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
    return bool(done == 1)


class _Span(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _may_attach(target: Target) -> bool:
    return procfs.may_attach(target.process.pid)


def _real_user(pid: int) -> int:
    """Of /proc/PID/status: the owner of /proc/PID is root for a process that is not dumpable."""
    try:
        text = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except FileNotFoundError:
        raise ProcessGoneError(f"process {pid} has ended") from None
    return int(next(line for line in text.splitlines() if line.startswith("Uid:")).split()[1])


def _name(user: int) -> str:
    try:
        return f"user {pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"user {user}"


def _count(capabilities: int) -> str:
    number = capabilities.bit_count()
    return f"{number} {'capability' if number == 1 else 'capabilities'}"
