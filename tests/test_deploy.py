"""What deploy/ says is what agent, collector and setup understand."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from pivotscope_agent import settings as agent_settings
from pivotscope_collector import settings as collector_settings

from deploy.setup import rbspy

_DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
_PROCESS_LABELS = {f"PIVOTSCOPE_{name}" for name in ("SERVICE", "ENVIRONMENT", "VERSION", "VARIANT", "INSTANCE")}
_OF_SETUP = {"PIVOTSCOPE_SETUP_RUBY", "PIVOTSCOPE_SETUP_RBSPY", "PIVOTSCOPE_SETUP_UNSUPPORTED"}


def test_the_agents_example_is_a_configuration() -> None:
    settings = agent_settings.load(_DEPLOY / "config" / "agent.toml", {}, {})
    assert [selector.labels.service for selector in settings.selectors] == ["shop", "reports"]
    assert {series.role.value for series in settings.metrics.endpoints[0].series} >= {"latency", "errors", "revenue"}
    assert settings.sampling == agent_settings.SamplingSettings()


def test_the_collectors_example_holds_the_defaults() -> None:
    example = collector_settings.load({}, _DEPLOY / "config" / "collector.toml")
    default = collector_settings.Settings()
    different = {item.name for item in fields(default) if getattr(example, item.name) != getattr(default, item.name)}
    assert different == {"listen", "token_file", "data_dir", "tls_certificate", "tls_key"}


# Compiled files come and go while tests are collected.
_FILES = sorted(path for path in _DEPLOY.rglob("*") if path.is_file() and path.suffix != ".pyc")


@pytest.mark.parametrize("path", _FILES, ids=lambda path: str(path.relative_to(_DEPLOY)))
def test_variables_are_known(path: Path) -> None:
    known = _PROCESS_LABELS | _OF_SETUP | set(agent_settings.VARIABLES) | {"PIVOTSCOPE_KEY"}
    known |= {f"PIVOTSCOPE_{item.name.upper()}" for item in fields(collector_settings.Settings)}
    used = set(re.findall(r"PIVOTSCOPE_[A-Z_]*[A-Z]", path.read_text("utf-8")))
    assert used <= known


def test_the_image_has_the_rbspy_that_setup_builds() -> None:
    text = (_DEPLOY / "container" / "agent.Dockerfile").read_text("utf-8")
    assert f"--version {rbspy.VERSION} " in text


def test_agents_and_commands_look_for_the_collector_where_it_listens() -> None:
    assert collector_settings.Settings().listen == agent_settings.DEFAULT_COLLECTOR
