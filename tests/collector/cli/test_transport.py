"""The options that secure a command's connection, over the command line as users have it."""

from pathlib import Path

import pytest
from pivotscope_collector.cli import connection, transport
from pivotscope_collector.cli.app import app
from pivotscope_collector.errors import UsageError
from typer.testing import CliRunner

from tests.certificates import Authority, needs_openssl


def run(*arguments: str, **environment: str) -> BaseException | None:
    return CliRunner().invoke(app, ["agents", "list", *arguments], env=environment).exception


@pytest.mark.parametrize("command", [["hotspots"], ["agents", "list"], ["plan", "show"], ["collector", "check"]])
def test_every_command_that_connects_has_them(command: list[str]) -> None:
    said = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    for name in ("--ca", "--certificate", "--key", "--tls", "--plaintext", "PIVOTSCOPE_CA"):
        assert name in said


def test_a_token_does_not_travel_in_the_open() -> None:
    error = run("--collector", "collector.example:4640", PIVOTSCOPE_TOKEN="secret")
    assert isinstance(error, UsageError)
    assert "give --ca FILE or --tls, or say --plaintext" in str(error)
    assert "secret" not in str(error)


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    for error in (run("--ca", str(tmp_path / "gone")), run(PIVOTSCOPE_CA=str(tmp_path / "gone"))):
        assert isinstance(error, UsageError)
        assert str(error) == f"--ca {tmp_path}/gone: No such file or directory"
    error = run("--key", str(tmp_path / "gone"))
    assert isinstance(error, UsageError)
    assert "--certificate and --key are given together" in str(error)


@needs_openssl
def test_the_options_reach_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca = Authority(tmp_path / "authority").ca
    seen: list[transport.Transport] = []

    def look(_address: str, how: transport.Transport, *, secret: bool) -> None:
        seen.append(how)
        raise UsageError(f"secret: {secret}")

    monkeypatch.setattr(connection, "_open", look)
    assert str(run("--ca", str(ca), PIVOTSCOPE_TOKEN="t")) == "secret: True"
    assert str(run("--plaintext")) == "secret: False"
    assert str(run("--tls")) == "secret: False"
    first, second, third = seen
    assert first.tls is not None
    assert first.tls.ca == ca
    assert (second.tls, second.plaintext) == (None, True)
    assert third.tls is not None
    assert third.tls.ca is None
