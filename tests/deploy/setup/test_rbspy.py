"""Where rbspy comes from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.setup import rbspy
from deploy.setup.cargo import Cargo

MakeProgram = Callable[[str, str], Path]
Output = pytest.CaptureFixture[str]

# What `cargo install … --root FOLDER` does, as far as setup sees it. The folder is the argument after --root.
_INSTALL = """\
while [ "$1" != --root ]; do shift; done
/bin/mkdir -p "$2/bin"
printf '#!/bin/sh\\necho rbspy 0.55.0\\n' > "$2/bin/rbspy"
/bin/chmod +x "$2/bin/rbspy"
"""


def test_one_on_path_is_linked(commands: Path, program: MakeProgram) -> None:
    found = program("rbspy", "echo rbspy 0.56.1")
    rbspy.ensure(commands, None)
    assert (commands / "rbspy").resolve() == found.resolve()


def test_one_that_is_too_old_is_not_taken(commands: Path, program: MakeProgram, capfd: Output) -> None:
    program("rbspy", "echo rbspy 0.12.1")
    rbspy.ensure(commands, None)
    assert not (commands / "rbspy").exists()
    assert "no rbspy >= 0.55 on PATH and no cargo" in capfd.readouterr().out


def test_it_is_built_into_the_cache_once(commands: Path, program: MakeProgram, tmp_path: Path, capfd: Output) -> None:
    cargo = Cargo(program("cargo", _INSTALL), "1.95.0", {})
    rbspy.ensure(commands, cargo)
    assert "about four minutes" in capfd.readouterr().out
    assert list(tmp_path.glob("home/.cache/pivotscope/rbspy-0.55.0-*/bin/rbspy"))
    (commands / "rbspy").unlink()
    rbspy.ensure(commands, None)
    assert "four minutes" not in capfd.readouterr().out
    assert (commands / "rbspy").exists()


def test_a_build_that_fails_is_said_and_leaves_nothing(
    commands: Path, program: MakeProgram, tmp_path: Path, capfd: Output
) -> None:
    rbspy.ensure(commands, Cargo(program("cargo", "exit 101"), "1.95.0", {}))
    assert "could not build it" in capfd.readouterr().out
    assert not (commands / "rbspy").exists()
    assert list(tmp_path.glob("home/.cache/pivotscope/*")) == []


def test_a_cache_that_cannot_be_written_is_said(
    commands: Path, program: MakeProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Output
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    rbspy.ensure(commands, Cargo(program("cargo", _INSTALL), "1.95.0", {}))
    assert "Set XDG_CACHE_HOME" in capfd.readouterr().out


def test_it_can_be_left_out(commands: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    program("rbspy", "echo rbspy 0.55.0")
    rbspy.ensure(commands, None)
    monkeypatch.setenv("PIVOTSCOPE_SETUP_RBSPY", "none")
    rbspy.ensure(commands, None)
    assert not (commands / "rbspy").exists()
