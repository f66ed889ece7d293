"""The folder of an embedded store: made ready, and understood when the engine refuses it."""

import fcntl
import tempfile
from pathlib import Path

from pivotscope_collector.errors import StoreError


def prepare(path: str) -> None:
    """Create the folder and see that it can be written. Raises StoreError."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise StoreError(
            f"cannot write to the data folder {path}: {error.strerror}; "
            "give its user write access, or set PIVOTSCOPE_DATA_DIR to another folder"
        ) from error


def explain(path: str) -> str:
    """Why the engine may have refused the folder, as one sentence; empty where nothing is to be seen."""
    status = Path(path, "status")
    try:
        with status.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return (
            f"another process{_owner(status)} has it open; only one can: stop that one, or ask it through the collector"
        )
    except OSError:
        return ""
    return "the engine cannot read it; it may be damaged or from a newer version: restore it, or choose an empty folder"


def _owner(status: Path) -> str:
    """The process id that the engine wrote into its status file, for a message."""
    for line in status.read_text("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        if name == "PID":
            return f" (pid {value.strip()})"
    return ""
