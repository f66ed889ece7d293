"""Pretend programs for the setup's tests: small shell scripts in a folder that is all of PATH."""

from collections.abc import Callable
from pathlib import Path

import pytest

MakeProgram = Callable[[str, str], Path]


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """The folder that setup leaves commands in."""
    folder = tmp_path / "venv" / "bin"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeProgram:
    """Puts a script of this name and body on a PATH that holds nothing else; HOME is an empty folder."""
    folder = tmp_path / "path"
    folder.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(home))
    for name in (
        "CI",
        "XDG_CACHE_HOME",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "PIVOTSCOPE_SETUP_RUBY",
        "PIVOTSCOPE_SETUP_RBSPY",
    ):
        monkeypatch.delenv(name, raising=False)

    def make(name: str, body: str) -> Path:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
        path.chmod(0o755)
        return path

    return make
