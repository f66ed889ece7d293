"""The command line: what is understood, and what an agent that runs has not loaded."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pivotscope_agent import __version__
from pivotscope_agent.cli import commands, output, run
from pivotscope_agent.cli.options import settings_from
from pivotscope_agent.errors import SettingsError

# Runs the agent, and at its end tells what it had loaded.
RUN = """
import atexit, json, sys
atexit.register(lambda: print("\\n" + json.dumps(sorted(sys.modules))))
from pivotscope_agent.cli.app import main
main()
"""
NOT_FOR_RUN = {
    # Parsers of source and of metrics pages: the first in a child of its own, the others where pages are read.
    *("tree_sitter", "prometheus_client"),
    # What costs much and is not ours to need.
    *("pydantic", "pydantic_core", "typer", "click", "rich", "numpy", "decimal", "psutil"),
    # What other commands are made of.
    *("pivotscope_agent.checks", "pivotscope_agent.privileges"),
    *("pivotscope_agent.cli.doctor", "pivotscope_agent.cli.exec", "pivotscope_agent.cli.config"),
    *("pivotscope_agent.cli.targets", "pivotscope_agent.launch.execution", "pivotscope_agent.telemetry.exposition"),
}

Program = Callable[..., "subprocess.Popen[str]"]


@pytest.mark.python_target
def test_an_agent_that_samples_has_not_loaded_what_others_need(busy_python: Program, tmp_path: Path) -> None:
    target = busy_python()
    running = subprocess.Popen(
        [
            *(sys.executable, "-c", RUN, "run", "--print", "--window", "1", "--rate", "20"),
            *("--http-listen", "127.0.0.1:0", "--spool", str(tmp_path), "--collector", "127.0.0.1:1"),
            *("--select", f"pid={target.pid}"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    running.stdout.readline()
    running.send_signal(signal.SIGTERM)
    rest, _ = running.communicate(timeout=60)
    loaded = set(json.loads(rest.splitlines()[-1]))
    assert {"grpc", "pivotscope_agent.runtime"} <= loaded
    assert loaded & NOT_FOR_RUN == set()


@pytest.mark.parametrize("name", list(commands.COMMANDS))
def test_every_command_says_what_it_does_and_takes_its_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        commands.main([name, "--help"])
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert "--config FILE" in told
    assert told.endswith(f"\nFor example:\n  pivotscope-agent {name} {commands.COMMANDS[name].example}\n")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        commands.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"pivotscope-agent {__version__}\n"


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        commands.main(["--help"])
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert all(f"    {name} " in told for name in commands.COMMANDS)
    assert commands.main([]) == commands.WRONG_USE
    assert "usage: pivotscope-agent" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["sample"], ["run", "--sel", "pid=1"], ["run", "--window", "long"], ["config", "-o", "xml"], ["config", "more"]],
)
def test_wrong_use_is_exit_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        commands.main(words)
    assert end.value.code == commands.WRONG_USE
    assert "usage: pivotscope-agent" in capsys.readouterr().err


def test_a_command_is_called_with_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    def call(**options: object) -> int:
        given.update(options)
        return 7

    monkeypatch.setattr(run, "call", call)
    words = ["run", "-c", "a.toml", "--select", "pid=1", "--select=pid=2", "--window", "5", "--print"]
    assert commands.main(words) == 7
    found = {name: value for name, value in given.items() if value not in (None, False)}
    assert found == {"config": Path("a.toml"), "select": ["pid=1", "pid=2"], "window": 5, "show": True}


def test_exec_without_a_command_is_wrong_use() -> None:
    for words in (["exec"], ["exec", "--service", "shop", "--"]):
        with pytest.raises(SettingsError, match="exec needs a command"):
            commands.main(words)


def test_the_environment_names_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text("[sampling]\nrate_hz = 11\n")
    other.write_text("[sampling]\nrate_hz = 12\n")
    monkeypatch.setenv("PIVOTSCOPE_AGENT_CONFIG", str(one))
    assert settings_from().sampling.rate_hz == 11
    assert settings_from(other).sampling.rate_hz == 12
    monkeypatch.setenv("PIVOTSCOPE_AGENT_CONFIG", "")
    assert settings_from().sampling.rate_hz != 11


def test_nobody_who_reads_is_an_end_without_a_trace() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    said = f"from {output.__name__} import say; say('who?')"
    ended = subprocess.run([sys.executable, "-c", said], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")
