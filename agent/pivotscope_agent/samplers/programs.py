"""Where the sampler programs are."""

import shutil
import subprocess
import sys
from pathlib import Path

from pivotscope_agent.errors import MissingToolError

HOW_TO_GET = {
    "py-spy": "it comes with the agent's package; install it with `pip install py-spy`",
    "rbspy": "install it with `cargo install rbspy --locked`, or set [ruby] program to its path",
}


def find(name: str, configured: str = "") -> Path:
    """The path of a sampler: as configured, else beside our own interpreter, else on PATH. Raises MissingToolError."""
    if configured:
        if shutil.which(configured) is None:
            message = f"{configured} is not an executable file; it is configured as the path of {name}"
            raise MissingToolError(message)
        return Path(configured)
    beside = Path(sys.executable).parent / name
    found = shutil.which(str(beside)) or shutil.which(name)
    if found is None:
        message = f"{name} was found neither beside {sys.executable} nor on PATH: {HOW_TO_GET[name]}"
        raise MissingToolError(message)
    return Path(found)


def version(program: Path) -> str:
    """What a sampler says of its version, without its name; empty where it does not start. Takes milliseconds."""
    try:
        ran = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip().rpartition(" ")[2] if ran.returncode == 0 else ""
