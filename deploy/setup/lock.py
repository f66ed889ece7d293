"""Pin every package with hashes: ``make lock``.

One set of files serves every Python from 3.11 on and every platform, and names no index: whoever
installs decides where packages come from.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.setup.console import SetupError, run, say

_UV = "uv==0.13.9"
_RUNTIME = ("proto/pyproject.toml", "agent/pyproject.toml", "collector/pyproject.toml")
_OPTIONS = (
    *("--quiet", "--upgrade", "--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-header", "--no-annotate", "--no-emit-package", "pivotscope-proto"),
)


def lock(root: Path) -> None:
    """Write requirements/runtime.txt and requirements/dev.txt. Raises SetupError where that fails."""
    tools = root / ".tools" / "lock"
    uv = tools / "bin" / "uv"
    if not uv.exists():
        _run(root, [sys.executable, "-m", "venv", tools])
    _run(root, [tools / "bin" / "python", "-m", "pip", "install", "--quiet", _UV])
    extras = ("--extra", "embedded", "--extra", "demo")
    say("lock", "requirements/runtime.txt")
    _run(root, [uv, "pip", "compile", *_OPTIONS, *extras, *_RUNTIME, "--output-file", "requirements/runtime.txt"])
    say("lock", "requirements/dev.txt")
    constraint = ("--constraint", "requirements/runtime.txt")
    _run(
        root,
        [uv, "pip", "compile", *_OPTIONS, *constraint, "requirements/dev.in", "--output-file", "requirements/dev.txt"],
    )


def _run(root: Path, command: Sequence[str | Path]) -> None:
    if not run(command, dict(os.environ), root):
        raise SetupError(f"{' '.join(str(part) for part in command)} failed; its message is above")


if __name__ == "__main__":
    try:
        lock(Path(__file__).resolve().parents[2])
    except SetupError as error:
        sys.exit(f"lock stopped: {error}")
