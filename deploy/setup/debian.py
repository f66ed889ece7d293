"""Packages of Debian and its relatives: installed by root, or unpacked into a folder by anyone."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.setup.console import answer, consents, run, say


def available() -> bool:
    """Whether this machine has apt-get and dpkg at all."""
    return shutil.which("apt-get") is not None and shutil.which("dpkg") is not None


def install(label: str, packages: Sequence[str]) -> bool:
    """Install packages where the user is root and agrees. True where they are installed afterwards."""
    if not available() or os.geteuid() != 0:
        return False
    if not consents(f"{label}: apt-get install {' '.join(packages)}?"):
        return False
    say(label, f"apt-get install {' '.join(packages)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "--yes", "-qq", "--no-install-recommends", *packages]
    return run(command, env) or (run(["apt-get", "update", "-qq"], env) and run(command, env))


def unpack(label: str, packages: Sequence[str], folder: Path, always: Callable[[str], bool]) -> bool:
    """Download packages with what they need and unpack them into ``folder``. Needs no rights.

    Dependencies that the machine has installed are left out, except those that ``always`` names: what
    belongs together must come from one place.
    """
    if not available():
        return False
    state = folder.with_name(f"{folder.name}-apt")
    options = _private_state(state)
    names = _closure(packages, [])
    if names is None:
        say(label, "reading the list of packages")
        if not run(["apt-get", "update", "-qq", *options]):
            return False
        names = _closure(packages, options)
        if names is None:
            return False
    else:
        options = []
    wanted = [name for name in names if always(name) or not _installed(name)]
    archives = state / "archives"
    shutil.rmtree(archives, ignore_errors=True)
    archives.mkdir(parents=True)
    say(label, f"downloading {len(wanted)} package{'s' if len(wanted) > 1 else ''} of Debian")
    # Root would download as another user, who may not write here.
    if not run(["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", *options, *wanted], cwd=archives):
        return False
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    for archive in sorted(archives.glob("*.deb")):
        if not run(["dpkg", "-x", archive, draft]):
            return False
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
    shutil.rmtree(state, ignore_errors=True)
    return True


def _private_state(folder: Path) -> list[str]:
    """Options that give apt-get its own lists and caches, for users who may not change the machine's."""
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    return ["-o", f"Dir::State::lists={folder / 'lists'}", "-o", f"Dir::Cache={folder / 'cache'}"]


def _closure(packages: Sequence[str], options: Sequence[str]) -> list[str] | None:
    """Packages and all that they depend on, or None where the lists do not know them.

    Asked with an empty status file: apt then names installed dependencies as well.
    """
    text = answer(
        [
            *("apt-get", "install", "--simulate", "--no-install-recommends"),
            *("-o", "Dir::State::status=/dev/null", *options, *packages),
        ]
    )
    if text is None:
        return None
    return [line.split()[1] for line in text.splitlines() if line.startswith("Inst ")] or None


def _installed(package: str) -> bool:
    status = answer(["dpkg-query", "--show", "--showformat=${Status}", package])
    return status is not None and status.endswith("ok installed")
