"""What the agent needs of the machine that it runs on: one check each, with how to mend it."""

import ctypes
import errno
import http.client
import json
import os
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pivotscope.profile.language import Language

from pivotscope_agent.errors import MissingToolError
from pivotscope_agent.pipeline.spool import SpoolSettings
from pivotscope_agent.samplers import programs
from pivotscope_agent.settings import HttpSettings
from pivotscope_agent.targets.target import Target

ANSWER_S = 5.0
_STA_UNSYNC = 0x40
_TIMEX_BYTES, _TIMEX_STATUS = 512, 40


class State(StrEnum):
    """Result of a check. MISSING stands in the way; WARNING makes it worse or less; ADVICE would be better."""

    OK = "ok"
    ADVICE = "advice"
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


def check_spool(settings: SpoolSettings) -> Check:
    """Whether records can be kept on disk, as many as the settings allow."""
    folder = settings.folder
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as handle:
            handle.write(b"\0" * 4096)
            handle.flush()
        free = shutil.disk_usage(folder).free
    except OSError as problem:
        fix = "set [spool] folder or PIVOTSCOPE_SPOOL to a folder that the agent's user can write"
        return Check("spool", State.MISSING, f"{folder}: {problem.strerror}", fix)
    if free < settings.max_bytes:
        found = f"{folder} has {free >> 20} MiB of room, the spool may take {settings.max_bytes >> 20}"
        return Check("spool", State.WARNING, found, "make room, lower [spool] max_bytes, or set another folder")
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


def check_http(settings: HttpSettings) -> Check:
    """Whether /metrics and /healthz can be offered; where an agent holds the address already, how it fares."""
    if not settings.host:
        return Check("http", State.OK, "off")
    where = f"{settings.host}:{settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((settings.host, settings.port))
            # Two sockets may be bound where neither listens yet.
            tried.listen(1)
    except OSError as problem:
        fix = "set [http] listen to another address, or to off; the agent goes on without"
        taken = problem.errno == errno.EADDRINUSE
        return (taken and _running(settings)) or Check("http", State.WARNING, f"{where}: {problem.strerror}", fix)
    return Check("http", State.OK, f"{where} is free for /metrics and /healthz")


def _running(settings: HttpSettings) -> Check | None:
    """What an agent that holds the address says of itself; None where something else does."""
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=ANSWER_S)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        if response.headers.get("Server", "").strip() != "pivotscope-agent":
            return None
        said = json.loads(response.read())
        found = [*said["problems"], *said["warnings"]]
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return None
    finally:
        connection.close()
    where = f"an agent answers at {settings.host}:{settings.port}"
    if response.status == http.HTTPStatus.OK:
        return Check("http", State.WARNING if found else State.OK, f"{where}: {'; '.join(found) or 'it is well'}")
    return Check("http", State.WARNING, f"{where}, and is not well: {'; '.join(found)}", "see its log; start it anew")


def check_secrets(files: Iterable[Path | None]) -> Check:
    """Whether the files that hold secrets are readable for the agent, and for it alone."""
    named = [file for file in files if file is not None]
    for file in named:
        try:
            file.open("rb").close()
            mode = file.stat().st_mode
        except OSError as problem:
            fix = f"give the agent's user (number {os.geteuid()}) the right to read it"
            return Check("secrets", State.MISSING, f"{file}: {problem.strerror}", fix)
        if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
            found = f"{file} is open to other users (mode {stat.S_IMODE(mode):04o})"
            return Check("secrets", State.WARNING, found, f"chmod 0400 {file}, or 0440 for a group of the agent's own")
    return Check("secrets", State.OK, f"{len(named)} files, for the agent alone" if named else "no files are named")


def needs(targets: Iterable[Target], language: Language) -> bool:
    """Whether a selected process is of this language."""
    return any(target.process.language is language for target in targets)
