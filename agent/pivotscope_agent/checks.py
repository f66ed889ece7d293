"""What the agent needs of the machine that it runs on: one check each, with how to mend it."""

import ctypes
import os
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pivotscope.profile.language import Language

from pivotscope_agent.errors import MissingToolError
from pivotscope_agent.samplers import programs
from pivotscope_agent.targets import procfs
from pivotscope_agent.targets.target import Target

CAP_SYS_PTRACE = 19
_STA_UNSYNC = 0x40
_TIMEX_BYTES, _TIMEX_STATUS = 512, 40
_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")


class State(StrEnum):
    """Result of a check. MISSING stands in the way of sampling; WARNING makes it worse or less."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found, and how to mend it where it is not well."""

    name: str
    state: State
    found: str
    fix: str = ""


def check_program(name: str, configured: str, *, needed: bool) -> Check:
    """Whether a sampler is there and starts."""
    bad = State.MISSING if needed else State.WARNING
    try:
        path = programs.find(name, configured)
    except MissingToolError as problem:
        return Check(name, bad, str(problem), programs.HOW_TO_GET[name])
    try:
        ran = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return Check(name, bad, f"{path} cannot be run: {problem}", programs.HOW_TO_GET[name])
    if ran.returncode != 0:
        return Check(name, bad, f"{path} --version ended with status {ran.returncode}", programs.HOW_TO_GET[name])
    return Check(name, State.OK, f"{ran.stdout.strip()} at {path}")


def check_tracing() -> Check:
    """What the kernel says about tracing in general."""
    scope = 0
    with suppress(OSError, ValueError):
        scope = int(_YAMA.read_text("ascii"))
    return judge_tracing(scope, capable=has_capability(CAP_SYS_PTRACE), user=os.geteuid())


def judge_tracing(yama_scope: int, *, capable: bool, user: int) -> Check:
    """Judge by Yama's scope (0 where there is no Yama), CAP_SYS_PTRACE and the effective user.

    Source: Documentation/admin-guide/LSM/Yama.rst.
    """
    grant = "give it CAP_SYS_PTRACE (docker: --cap-add SYS_PTRACE; Kubernetes: securityContext.capabilities.add)"
    if yama_scope >= 3:
        fix = "kernel.yama.ptrace_scope 3 forbids all tracing until the machine is started anew with a lower value"
        return Check("tracing", State.MISSING, f"Yama's ptrace_scope is {yama_scope}", fix)
    if capable:
        return Check("tracing", State.OK, f"CAP_SYS_PTRACE is held by user {user}: processes of every user")
    if yama_scope == 0:
        fix = f"run the agent as the processes' user, or {grant}"
        return Check("tracing", State.OK, f"processes of user {user} only, without CAP_SYS_PTRACE", fix)
    return Check("tracing", State.MISSING, f"Yama's ptrace_scope is {yama_scope} and CAP_SYS_PTRACE is not held", grant)


def check_targets(targets: Iterable[Target]) -> Check:
    """Whether processes are selected and can be traced."""
    found = tuple(targets)
    denied = [target.process.pid for target in found if not procfs.may_attach(target.process.pid)]
    unsupported = [target for target in found if target.runtime.unsupported]
    if not found:
        fix = "see `pivotscope-agent targets`; set PIVOTSCOPE_SERVICE for the processes, or give a selector"
        return Check("targets", State.WARNING, "no process is selected now", fix)
    if denied:
        fix = "run as their user or with CAP_SYS_PTRACE; a sidecar also needs the pod's shareProcessNamespace"
        return Check("targets", State.MISSING, f"{len(denied)} of {len(found)} may not be traced: {denied[:10]}", fix)
    if unsupported:
        return Check("targets", State.WARNING, unsupported[0].runtime.unsupported, "their CPU is counted all the same")
    return Check("targets", State.OK, f"{len(found)} selected, all can be traced")


def check_spool(folder: Path) -> Check:
    """Whether records can be kept on disk."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as handle:
            handle.write(b"\0" * 4096)
            handle.flush()
    except OSError as problem:
        fix = "set [spool] folder or PIVOTSCOPE_SPOOL to a folder that the agent's user can write"
        return Check("spool", State.MISSING, f"{folder}: {problem.strerror}", fix)
    return Check("spool", State.OK, f"{folder} can be written")


def check_clock() -> Check:
    """Whether the kernel says that its clock is kept in step."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    if ctypes.CDLL(None, use_errno=True).adjtimex(buffer) < 0:
        return Check("clock", State.WARNING, "the kernel does not tell whether its clock is kept in step")
    status = ctypes.c_int.from_buffer(buffer, _TIMEX_STATUS).value
    if status & _STA_UNSYNC:
        fix = "start a time service (chrony, systemd-timesyncd); the collector corrects the offset that it measures"
        return Check("clock", State.WARNING, "not kept in step with a time server", fix)
    return Check("clock", State.OK, "kept in step with a time server")


def has_capability(number: int, status: str | None = None) -> bool:
    """Whether this process holds a capability, by the text of /proc/self/status."""
    text = Path("/proc/self/status").read_text("ascii", "replace") if status is None else status
    line = next((line for line in text.splitlines() if line.startswith("CapEff:")), "CapEff: 0")
    return bool(int(line.split()[1], 16) >> number & 1)


def needs(targets: Iterable[Target], language: Language) -> bool:
    """Whether a selected process is of this language."""
    return any(target.process.language is language for target in targets)
