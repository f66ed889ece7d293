"""The configuration as it is shown: complete, with origins, loadable again, and without secrets."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from pivotscope_agent.cli.config import lines, shown
from pivotscope_agent.merging import Place, merge
from pivotscope_agent.settings import VARIABLES, Setting, Settings, explain, parse

FILE = """
host = "node \\"1\\""
[collector.tls]
ca = "/etc/ca.pem"
[sampling]
rate_hz = 20
window_seconds = 5
[[select]]
cmdline = 'gunicorn .*"shop"'
service = "shop"
[[metrics.endpoint]]
port = 8000
[[metrics.endpoint.series]]
name = "requests_total"
role = "requests"
match = { status = "5.." }
"""


def look(
    file: Path | None, environ: Mapping[str, str], flags: Mapping[Place, object] | None = None
) -> tuple[Settings, dict[str, Setting], str]:
    settings, values = explain(merge(file, VARIABLES, environ, flags or {}), token=environ.get("PIVOTSCOPE_TOKEN", ""))
    found = shown(settings, values)
    return settings, {one.key: one for one in found}, "\n".join(lines(found))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(FILE)
    return path


def test_every_value_has_its_origin(file: Path) -> None:
    environ = {"PIVOTSCOPE_RATE_HZ": "30", "PIVOTSCOPE_SLOTS": "3"}
    _, values, text = look(file, environ, {("sampling", "slots"): 5})
    origins = {key: (one.value, one.origin) for key, one in values.items()}
    assert origins["sampling.window_seconds"] == (5, f"file {file}")
    assert origins["sampling.rate_hz"] == (30, "environment PIVOTSCOPE_RATE_HZ")
    assert origins["sampling.slots"] == (5, "command line")
    assert origins["budget.host_cpu"][1] == "default"
    assert origins["collector.tls.ca"] == ("/etc/ca.pem", f"file {file}")
    assert origins["metrics.interval_seconds"] == (5.0, "default")
    assert origins["select"][1] == origins["metrics.endpoint"][1] == f"file {file}"
    assert "sampling.slots = 5" in text


def test_what_is_shown_has_the_same_effect(file: Path) -> None:
    settings, _, text = look(file, {"PIVOTSCOPE_RATE_HZ": "30"})
    assert parse(tomllib.loads(text)) == settings
    settings, _, text = look(None, {})
    assert parse(tomllib.loads(text)) == settings == Settings()


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("very-secret")
    environ = {"PIVOTSCOPE_TOKEN": "very-secret", "PIVOTSCOPE_TOKEN_FILE": str(token)}
    settings, values, text = look(None, environ)
    assert settings.collector.token == "very-secret"
    assert values["collector.token"].value == "(secret)"
    assert values["collector.token_file"] == Setting(
        "collector.token_file", str(token), "environment PIVOTSCOPE_TOKEN_FILE"
    )
    assert "very-secret" not in f"{text}{values}{settings}"
    assert parse(tomllib.loads(text)).collector.token_file == token


def test_a_secret_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    _, values, _ = look(None, {"PIVOTSCOPE_TOKEN_FILE": str(tmp_path / "nowhere")})
    assert "cannot be read: No such file" in values["collector.token_file"].origin
