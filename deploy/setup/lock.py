"""Pin every package with hashes: ``make lock``.

One set of files serves every Python from 3.11 on and every platform, and names no index: whoever
installs decides where packages come from. Pins that still fit are kept; ``--upgrade`` chooses anew.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.setup.console import SetupError, run, say

_UV = "uv==0.13.9"
_OPTIONS = (
    *("--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-header", "--no-annotate", "--no-emit-package", "pivotscope-proto"),
)
_ALL = "requirements/runtime.txt"
# File → what it is made from. The first holds the product with everything; the others follow its choices.
_FILES = {
    _ALL: (
        *("--extra", "embedded", "--extra", "demo"),
        *("proto/pyproject.toml", "agent/pyproject.toml", "collector/pyproject.toml"),
    ),
    "requirements/agent.txt": ("--constraint", _ALL, "proto/pyproject.toml", "agent/pyproject.toml"),
    "requirements/build.txt": ("--constraint", _ALL, "requirements/build.in"),
    "requirements/dev.txt": ("--constraint", _ALL, "--constraint", "requirements/build.txt", "requirements/dev.in"),
}


def lock(root: Path, extra: Sequence[str]) -> None:
    """Write the requirement files below ``root``. ``extra`` is passed on to uv. Raises SetupError."""
    tools = root / ".tools" / "lock"
    if not (tools / "bin" / "python").exists():
        _run(root, [sys.executable, "-m", "venv", tools])
    _run(root, [tools / "bin" / "python", "-m", "pip", "install", "--quiet", _UV])
    for name, sources in _FILES.items():
        say("lock", name)
        _run(root, [tools / "bin" / "uv", "pip", "compile", *_OPTIONS, *extra, *sources, "--output-file", name])


def _run(root: Path, command: Sequence[str | Path]) -> None:
    if not run(command, dict(os.environ), root):
        raise SetupError(f"{' '.join(str(part) for part in command)} failed; its message is above")


if __name__ == "__main__":
    try:
        lock(Path(__file__).resolve().parents[2], sys.argv[1:])
    except SetupError as error:
        sys.exit(f"lock stopped: {error}")
