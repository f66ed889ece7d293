"""Interpreters that no sampler reads, for tests of what the agent does with them: mruby and PyPy, of Debian."""

import os
import shlex
from pathlib import Path

from deploy.setup import debian
from deploy.setup.console import answer, on_path, put_script, say

_INTERPRETERS = (("mruby", "mruby"), ("pypy3", "pypy3"))
"""Commands and the packages that bring them."""


def ensure(root: Path, bin_folder: Path) -> None:
    """Leave each on PATH or in ``bin_folder``, unpacked into the checkout; or say that the tests go without.

    PIVOTSCOPE_SETUP_UNSUPPORTED=none leaves them out.
    """
    wanted = os.environ.get("PIVOTSCOPE_SETUP_UNSUPPORTED", "") != "none"
    for command, package in _INTERPRETERS:
        if on_path(command, besides=bin_folder):
            (bin_folder / command).unlink(missing_ok=True)
            continue
        folder = root / ".tools" / command
        if not _wrapped(folder, command, bin_folder) and not (
            wanted
            and debian.unpack(command, [package], folder, lambda name, own=command: name.startswith(own))  # type: ignore[misc]
            and _wrapped(folder, command, bin_folder)
        ):
            say(command, "not here; the test of what the agent does with it is skipped")


def _wrapped(folder: Path, command: str, bin_folder: Path) -> bool:
    """Put a wrapper of an unpacked interpreter into ``bin_folder``; whether it works."""
    program = folder / "usr/bin" / command
    if not program.exists():
        return False
    libraries = os.pathsep.join(str(path.parent) for path in (folder / "usr/lib").glob("*/lib*.so"))
    line = f"export LD_LIBRARY_PATH={shlex.quote(libraries)}\n" if libraries else ""
    wrapper = bin_folder / command
    put_script(
        wrapper, f'#!/bin/sh\n# {command}, unpacked into this checkout\n{line}exec {shlex.quote(str(program))} "$@"\n'
    )
    if answer([wrapper, "--version"]) is None:
        wrapper.unlink()
        return False
    return True
