"""Files that commands write."""

import os
from pathlib import Path

import typer

from pivotscope_collector.errors import UsageError


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all; `-` is standard output, and a device or a pipe is written as it is.

    A link stays a link, and a file keeps its mode. Raises UsageError.
    """
    if str(path) == "-":
        typer.echo(text, nl=False)
        return
    target = path.resolve()
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, "utf-8")
            return
        draft.write_text(text, "utf-8")
        if target.exists():
            draft.chmod(target.stat().st_mode & 0o7777)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
