"""Which cargo is used, and with which homes."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.setup import cargo

MakeProgram = Callable[[str, str], Path]

# As rustup's shim does: without a toolchain under RUSTUP_HOME or HOME there is an error.
_SHIM = 'if [ -e "${RUSTUP_HOME:-$HOME/.rustup}/toolchain" ]; then echo cargo 1.95.0; else exit 1; fi'


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The account's own home, which is not HOME."""
    home = tmp_path / "account"
    home.mkdir()
    monkeypatch.setattr(cargo, "_account_home", lambda: home)
    return home


@pytest.mark.usefixtures("account")
def test_a_plain_cargo_needs_no_wrapper(commands: Path, program: MakeProgram) -> None:
    path = program("cargo", "echo cargo 1.95.0 of today")
    found = cargo.find(commands)
    assert found == cargo.Cargo(path, "1.95.0", {})
    (commands / "cargo").write_text("an old one", "utf-8")
    cargo.put_wrapper(found, commands)
    assert not (commands / "cargo").exists()


def test_a_shim_without_toolchain_gets_the_accounts(commands: Path, program: MakeProgram, account: Path) -> None:
    program("cargo", _SHIM)
    (account / ".rustup").mkdir()
    (account / ".rustup" / "toolchain").touch()
    found = cargo.find(commands)
    assert found is not None
    assert found.env == {"RUSTUP_HOME": str(account / ".rustup")}
    cargo.put_wrapper(found, commands)
    ran = subprocess.run([commands / "cargo", "--version"], capture_output=True, text=True, check=True, env=os.environ)
    assert ran.stdout == "cargo 1.95.0\n"


@pytest.mark.usefixtures("account")
def test_a_shim_without_any_toolchain_is_no_cargo(commands: Path, program: MakeProgram) -> None:
    program("cargo", _SHIM)
    assert cargo.find(commands) is None


def test_a_home_that_is_set_stays(
    commands: Path, program: MakeProgram, account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("cargo", _SHIM)
    (account / ".rustup").mkdir()
    (account / ".rustup" / "toolchain").touch()
    monkeypatch.setenv("RUSTUP_HOME", str(tmp_path / "elsewhere"))
    assert cargo.find(commands) is None
