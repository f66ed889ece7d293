import re
from pathlib import Path

from pivotscope_agent.cli.config import plain
from pivotscope_agent.cli.output import columns
from pivotscope_agent.settings import load, parse


def test_columns_are_as_wide_as_they_need() -> None:
    assert columns(("A", "LONG"), [("xyz", "1"), ("x", "")]) == "A    LONG\nxyz  1\nx"


def test_secrets_are_told_as_set_or_unset(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("very-secret")
    tree = plain(parse({"collector": {"token_file": str(token)}, "select": [{"cmdline": "a+"}]}))
    assert isinstance(tree, dict)
    assert tree["collector"]["token_file"] == f"set, from {token}"
    assert tree["selectors"][0]["cmdline"] == "a+"
    assert re.search("very-secret", str(tree)) is None
    token.unlink()
    tree = plain(parse({"collector": {"token_file": str(token)}}))
    assert isinstance(tree, dict)
    assert "cannot be read: No such file" in tree["collector"]["token_file"]


def test_the_token_of_the_environment_is_not_shown() -> None:
    settings = load(None, {"PIVOTSCOPE_TOKEN": "very-secret"}, {})
    assert settings.collector.token == "very-secret"
    tree = plain(settings)
    assert isinstance(tree, dict)
    assert tree["collector"]["token"] == "set"
    assert "very-secret" not in f"{tree}{settings}"


def test_no_token_is_unset() -> None:
    tree = plain(parse({}))
    assert isinstance(tree, dict)
    assert tree["collector"]["token_file"] == "unset"
