"""The sampler for Ruby: as found, else built from its source by cargo."""

import os
import platform
import re
import shutil
from pathlib import Path

from deploy.setup.cargo import Cargo
from deploy.setup.console import answer, on_path, put_link, run, say

VERSION = "0.55.0"
_OLDEST = (0, 55)


def ensure(bin_folder: Path, cargo: Cargo | None) -> None:
    """Leave ``rbspy`` in ``bin_folder``, or say why it is not there.

    PIVOTSCOPE_SETUP_RBSPY=none leaves it out.
    """
    ours = bin_folder / "rbspy"
    if os.environ.get("PIVOTSCOPE_SETUP_RBSPY") == "none":
        ours.unlink(missing_ok=True)
        say("rbspy", "left out as PIVOTSCOPE_SETUP_RBSPY asks. Ruby is not sampled.")
        return
    version = _version(ours)
    if version is not None:
        say("rbspy", f"{version} is there")
        return
    ours.unlink(missing_ok=True)
    found = on_path("rbspy", besides=bin_folder)
    version = _version(found) if found else None
    if found and version:
        put_link(ours, found.resolve())
        say("rbspy", f"{version}, found at {found}")
        return
    built = _built(cargo)
    if built is None:
        return
    shutil.copy2(built, ours)
    say("rbspy", f"{VERSION}, from {built}")


def _version(program: Path) -> str | None:
    """The program's version, or None where it is not there, does not run or is too old."""
    text = answer([program, "--version"])
    match = re.search(r"(\d+)\.(\d+)(?:\.\d+)*", text or "")
    if match is None or (int(match[1]), int(match[2])) < _OLDEST:
        return None
    return match[0]


def _built(cargo: Cargo | None) -> Path | None:
    """The program in the user's cache, built there first where it is missing. None, with the reason said, if not."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pivotscope"
    place = cache / f"rbspy-{VERSION}-{platform.machine()}"
    program = place / "bin" / "rbspy"
    if _version(program):
        return program
    if cargo is None:
        say("rbspy", f"there is no rbspy >= {_OLDEST[0]}.{_OLDEST[1]} on PATH and no cargo that works, to build it.")
        say("", "Ruby is not sampled. To have it, install a Rust toolchain (rustup), then run `make setup` again.")
        return None
    say("rbspy", f"building {VERSION} with cargo {cargo.version}: about four minutes on two cores, once for this user")
    draft = place.with_name(f"{place.name}.{os.getpid()}")
    command: list[str | Path] = [
        cargo.program,
        "install",
        "rbspy",
        "--locked",
        "--version",
        VERSION,
        "--root",
        draft,
        "--no-track",
    ]
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if not run(command, {**os.environ, **cargo.env}):
            say("rbspy", "cargo could not build it; its message is above. Ruby is not sampled.")
            return None
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
    except OSError as error:
        say("rbspy", f"cannot be kept in {cache}: {error}. Set XDG_CACHE_HOME to a folder that can be written.")
        return None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return program
