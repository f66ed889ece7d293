"""Consent, and small files put in place."""

import io
from pathlib import Path

import pytest

from deploy.setup import console


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "agreed"), [("y\n", True), ("Yes\n", True), ("\n", False), ("", False), ("n\n", False)]
)
def test_a_terminal_is_asked(typed: str, agreed: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("sys.stdin", _Terminal(typed))
    assert console.consents("apt-get install ruby?") is agreed


def test_nobody_to_ask_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert not console.consents("apt-get install ruby?")


def test_ci_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert console.consents("apt-get install ruby?")


def test_a_link_replaces_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("new", "utf-8")
    link = tmp_path / "link"
    link.write_text("old", "utf-8")
    console.put_link(link, target)
    assert link.read_text("utf-8") == "new"
    console.put_script(link, "#!/bin/sh\n")
    assert not link.is_symlink()
    assert target.read_text("utf-8") == "new"


def test_a_command_that_is_not_there_has_no_answer(tmp_path: Path) -> None:
    assert console.answer([tmp_path / "missing"]) is None
    assert not console.run([tmp_path / "missing"])
