"""The folder of an embedded store: made ready, and understood when the engine refuses it."""

import fcntl
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from pivotscope_collector.errors import StoreError

_UNFINISHED = "restore-unfinished"


def holds_store(path: str) -> bool:
    """Whether an engine has written here before."""
    return Path(path, "metadata").is_dir()


def prepare(path: str) -> None:
    """Create the folder and see that it can be written, and is no half of a restore. Raises StoreError."""
    if Path(path, _UNFINISHED).exists():
        raise StoreError(f"{path} holds a restore that was cut short: empty the folder, and restore again")
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise StoreError(
            f"cannot write to the data folder {path}: {error.strerror}; "
            "give its user write access, or set PIVOTSCOPE_DATA_DIR to another folder"
        ) from error


def unfinished(path: str) -> None:
    """Mark the folder as being restored, so that nobody opens it as it is."""
    Path(path, _UNFINISHED).touch()


def finished(path: str) -> None:
    """Take the mark away."""
    Path(path, _UNFINISHED).unlink()


def empty(path: str) -> None:
    """Remove what is in the folder, the mark last: where this is cut short, nobody opens what is left."""
    with suppress(FileNotFoundError):
        for entry in sorted(Path(path).iterdir(), key=lambda entry: entry.name == _UNFINISHED):
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def owner(path: str) -> str:
    """Who has the folder open, as " (pid 7)"; empty where nobody has, or that cannot be told."""
    status = Path(path, "status")
    try:
        with status.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _owner(status)
    except OSError:
        return ""
    return ""


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
        # The engine takes its status file away where it does not come up.
        if not Path(path, "metadata").exists():
            return ""
    damaged = _damaged(Path(path))
    cause = f"{damaged} is cut short" if damaged else "it may be damaged, or from a newer version"
    return (
        f"the engine cannot read it: {cause}. Move the folder away and put a backup in its place, or start with an "
        "empty one: set PIVOTSCOPE_DATA_DIR"
    )


def _damaged(path: Path) -> str:
    """A definition of a table or database that was not written to its end; empty where none is found."""
    for file in sorted(path.glob("metadata/**/*.sql")):
        try:
            text = file.read_bytes()
        except OSError:
            continue
        if not text.endswith(b"\n"):
            return str(file.relative_to(path))
    return ""


def _owner(status: Path) -> str:
    """The process id that the engine wrote into its status file, for a message."""
    for line in status.read_text("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        if name == "PID":
            return f" (pid {value.strip()})"
    return ""
