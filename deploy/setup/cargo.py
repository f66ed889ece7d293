"""Find a cargo that works, also where HOME is not the user's own."""

import os
import pwd
import shlex
from dataclasses import dataclass
from pathlib import Path

from deploy.setup.console import answer, on_path, put_script


@dataclass(frozen=True, slots=True)
class Cargo:
    """A program, and what must be in its environment for it to work."""

    program: Path
    version: str
    env: dict[str, str]


def find(bin_folder: Path) -> Cargo | None:
    """The first cargo that answers ``cargo --version``.

    rustup puts a shim in place of cargo, which looks for toolchains under HOME. With a HOME made for one
    build the shim is found and fails; the toolchains of the account's own home are then used instead.
    """
    account = _account_home()
    programs = [
        on_path("cargo", besides=bin_folder),
        Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")) / "bin" / "cargo",
        account / ".cargo" / "bin" / "cargo",
    ]
    for program in dict.fromkeys(path for path in programs if path is not None):
        for extra in ({}, _homes_of(account)):  # plainly first
            version = answer([program, "--version"], {**os.environ, **extra})
            if version is not None:
                return Cargo(program, version.removeprefix("cargo ").split()[0], extra)
    return None


def put_wrapper(cargo: Cargo, bin_folder: Path) -> None:
    """Leave a ``cargo`` beside our commands where the plain one would not work; take an old one away."""
    wrapper = bin_folder / "cargo"
    if not cargo.env:
        wrapper.unlink(missing_ok=True)
        return
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(cargo.env.items()))
    path = f'export PATH={shlex.quote(str(cargo.program.parent))}:"$PATH"\n'
    put_script(wrapper, f'#!/bin/sh\n{exports}{path}exec {shlex.quote(str(cargo.program))} "$@"\n')


def _account_home() -> Path:
    """The home that the account has, whatever HOME says."""
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:  # a container may run under a number that has no account
        return Path.home()


def _homes_of(account: Path) -> dict[str, str]:
    """RUSTUP_HOME and CARGO_HOME of the account's home, where they exist and are not set already."""
    homes = {"RUSTUP_HOME": account / ".rustup", "CARGO_HOME": account / ".cargo"}
    return {name: str(path) for name, path in homes.items() if name not in os.environ and path.is_dir()}
