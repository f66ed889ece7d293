"""Generate Python code of the wire contract: ``python -m deploy.setup.generate FOLDER``."""

import os
import sys
from pathlib import Path

from deploy.setup.console import run

_SOURCES = Path(__file__).resolve().parents[2] / "proto"
_KINDS = ("python", "grpc_python", "mypy", "mypy_grpc")


def generate(folder: Path) -> bool:
    """Write messages, stubs and their types below ``folder``. True where the compiler succeeded."""
    protos = sorted(path.relative_to(_SOURCES) for path in _SOURCES.glob("pivotscope/**/*.proto"))
    outputs = [f"--{kind}_out={folder}" for kind in _KINDS]
    # The compiler looks for the plug-ins that write types on PATH; they are installed beside the interpreter.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    command: list[str | Path] = [sys.executable, "-m", "grpc_tools.protoc", f"-I{_SOURCES}", *outputs, *protos]
    return run(command, {**os.environ, "PATH": path})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deploy.setup.generate FOLDER")
    sys.exit(not generate(Path(sys.argv[1])))
