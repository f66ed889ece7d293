"""Which Ruby is used."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.setup import debian, ruby
from deploy.setup.console import SetupError

MakeProgram = Callable[[str, str], Path]
Output = pytest.CaptureFixture[str]


@pytest.fixture
def no_debian(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without apt-get."""
    monkeypatch.setattr(debian, "available", lambda: False)


def _complete(program: MakeProgram) -> None:
    for name in ("ruby", "puma", "ruby-prof"):
        program(name, "echo 3.1.7")


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """A checkout with a Ruby laid out as Debian's packages do; it prints its environment."""
    usr = tmp_path / ".tools" / "ruby" / "usr"
    for folder in ("lib/ruby/3.1.0", "lib/x86_64-linux-gnu/ruby/3.1.0", "bin"):
        (usr / folder).mkdir(parents=True)
    for name in ("ruby", "puma", "ruby-prof"):
        path = usr / "bin" / name
        path.write_text('#!/bin/sh\necho "$RUBYLIB $GEM_PATH $LD_LIBRARY_PATH $1"\n', "utf-8")
        path.chmod(0o755)
    return tmp_path


def test_a_complete_one_is_used_as_installed(
    tmp_path: Path, commands: Path, program: MakeProgram, capfd: Output
) -> None:
    _complete(program)
    (commands / "ruby").touch()
    ruby.ensure(tmp_path, commands)
    assert "3.1.7, as installed" in capfd.readouterr().out
    assert not (commands / "ruby").exists()


@pytest.mark.usefixtures("no_debian")
def test_one_that_lacks_something_is_none(tmp_path: Path, commands: Path, program: MakeProgram, capfd: Output) -> None:
    _complete(program)
    program("ruby", "exit 1")
    ruby.ensure(tmp_path, commands)
    assert "apt-get install ruby ruby-dev puma ruby-sinatra ruby-prof" in capfd.readouterr().out


@pytest.mark.usefixtures("no_debian")
def test_nothing_is_downloaded_where_it_was_unpacked_before(
    unpacked: Path, commands: Path, program: MakeProgram, capfd: Output
) -> None:
    program("none", "")
    ruby.ensure(unpacked, commands)
    assert f"unpacked into {unpacked}" in capfd.readouterr().out
    shown = subprocess.run([commands / "puma"], capture_output=True, text=True, check=True, env=os.environ).stdout
    libraries, gems, shared, script = shown.split()
    usr = unpacked / ".tools" / "ruby" / "usr"
    assert libraries.split(":")[-1] == str(usr / "lib/x86_64-linux-gnu/ruby/3.1.0")
    assert gems.split(":")[0] == str(usr / "share/rubygems-integration/all")
    assert shared == str(usr / "lib/x86_64-linux-gnu")
    assert script == str(usr / "bin" / "puma")
    # What the caller adds is found, and before it.
    called = {**os.environ, "RUBYLIB": "/built"}
    shown = subprocess.run([commands / "puma"], capture_output=True, text=True, check=True, env=called).stdout
    assert shown.split()[0] == f"/built:{libraries}"


def test_it_can_be_left_out(
    unpacked: Path, commands: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    _complete(program)
    (commands / "puma").touch()
    monkeypatch.setenv("PIVOTSCOPE_SETUP_RUBY", "none")
    ruby.ensure(unpacked, commands)
    assert list(commands.iterdir()) == []


def test_an_unknown_route_is_named(tmp_path: Path, commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIVOTSCOPE_SETUP_RUBY", "rvm")
    with pytest.raises(SetupError, match="PIVOTSCOPE_SETUP_RUBY is 'rvm'; expected one of auto"):
        ruby.ensure(tmp_path, commands)
