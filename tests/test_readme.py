"""Every command that the documents show exists, with the options shown."""

import re
import shlex
from pathlib import Path

import pytest
from pivotscope_agent.cli import commands as agent
from pivotscope_collector.cli.app import app as admin
from typer.testing import CliRunner

_ROOT = Path(__file__).resolve().parents[1]
_PROGRAMS = frozenset({"pivotscope", agent.PROGRAM})
_DOCUMENTS = ("README.md", "CONTRIBUTING.md", "deploy/README.md")


def _shown() -> list[str]:
    """Command lines in blocks and in backquotes of the documents, comments left out."""
    found: list[str] = []
    for name in _DOCUMENTS:
        text = (_ROOT / name).read_text("utf-8")
        blocks = "\n".join(re.findall(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))
        lines = [*blocks.splitlines(), *re.findall(r"`(pivotscope[ -][^`]*)`", text)]
        found += [line for line in lines if line.split(" ")[0] in _PROGRAMS]
    return sorted(set(found))


@pytest.mark.parametrize("line", _shown())
def test_a_shown_command_exists(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    program, *words = shlex.split(line, comments=True)
    first = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    asked = [*words[:first], "--help"]
    if program == agent.PROGRAM:
        with pytest.raises(SystemExit) as end:
            agent.main(asked)
        code, output = end.value.code, capsys.readouterr().out
    else:
        result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(admin, asked)
        code, output = result.exit_code, result.output
    assert code == 0, output
    used = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert {option for option in used if option not in output} == set(), line
