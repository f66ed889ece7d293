"""What setup says, and how it starts other programs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_LABEL_WIDTH = 9


class SetupError(Exception):
    """Setup cannot go on. The message says what is missing and what to do."""


def say(label: str, text: str) -> None:
    """Write one line of progress, such as ``rbspy     0.55.0, found on PATH``."""
    sys.stdout.write(f"{label:<{_LABEL_WIDTH}} {text}\n")
    sys.stdout.flush()


def answer(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> str | None:
    """Standard output of a short command, or None where it is not there, fails or hangs."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def run(command: Sequence[str | Path], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> bool:
    """Run a long command with its output shown. True where it succeeded."""
    try:
        done = subprocess.run([str(part) for part in command], env=env, cwd=cwd, stdin=subprocess.DEVNULL, check=False)
    except OSError as error:
        say("", f"{command[0]} cannot be started: {error}")
        return False
    return done.returncode == 0


def consents(question: str) -> bool:
    """Whether the user agrees to a change of the machine itself.

    CI=true agrees. A terminal is asked. Anything else, such as a script without a terminal, does not.
    """
    if os.environ.get("CI", "").lower() == "true":
        return True
    if not sys.stdin.isatty():
        return False
    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def on_path(program: str, besides: Path) -> Path | None:
    """A program on PATH, the folder ``besides`` left out."""
    folders = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    others = [folder for folder in folders if Path(folder).resolve() != besides.resolve()]
    found = shutil.which(program, path=os.pathsep.join(others))
    return Path(found) if found else None


def put_script(path: Path, text: str) -> None:
    """Write an executable file in one step, so that nobody ever starts half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(0o755)
    draft.replace(path)


def put_link(path: Path, target: Path) -> None:
    """Make ``path`` a symbolic link to ``target``, whatever it was before."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.symlink_to(target)
    draft.replace(path)
