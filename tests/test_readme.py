"""Every command that the documents show exists, with the options shown."""

import re
import shlex
from pathlib import Path

import pytest
from pivotscope_agent.cli.commands import app as agent
from pivotscope_collector.cli.app import app as admin
from typer.testing import CliRunner

_ROOT = Path(__file__).resolve().parents[1]
_APPS = {"pivotscope": admin, "pivotscope-agent": agent}
_DOCUMENTS = ("README.md", "CONTRIBUTING.md", "deploy/README.md")


def _shown() -> list[str]:
    """Command lines in blocks and in backquotes of the documents, comments left out."""
    found: list[str] = []
    for name in _DOCUMENTS:
        text = (_ROOT / name).read_text("utf-8")
        blocks = "\n".join(re.findall(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))
        lines = [*blocks.splitlines(), *re.findall(r"`(pivotscope[ -][^`]*)`", text)]
        found += [line for line in lines if line.split(" ")[0] in _APPS]
    return sorted(set(found))


@pytest.mark.parametrize("line", _shown())
def test_a_shown_command_exists(line: str) -> None:
    program, *words = shlex.split(line, comments=True)
    first = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(_APPS[program], [*words[:first], "--help"])
    assert result.exit_code == 0, result.output
    used = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert {option for option in used if option not in result.output} == set(), line
