"""All commands of `pivotscope-agent`. What a command needs is loaded when it is the one that was asked for."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import getdoc
from typing import Protocol

from pivotscope_agent import __version__

PROGRAM = "pivotscope-agent"
WRONG_USE = 2


class Command(Protocol):
    """The module of one command."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Say what may stand behind the command's name; the names are those that `call` takes."""

    @property
    def call(self) -> Callable[..., int]:
        """Do it; the exit code. Its docstring tells users what it does."""


@dataclass(frozen=True, slots=True)
class Known:
    """A command that can be asked for: what it does in a few words, its module, and what may stand behind its name."""

    about: str
    load: Callable[[], Command]
    example: str


def _run() -> Command:
    from pivotscope_agent.cli import run  # noqa: PLC0415

    return run


def _exec() -> Command:
    from pivotscope_agent.cli import exec as exec_  # noqa: PLC0415

    return exec_


def _targets() -> Command:
    from pivotscope_agent.cli import targets  # noqa: PLC0415

    return targets


def _doctor() -> Command:
    from pivotscope_agent.cli import doctor  # noqa: PLC0415

    return doctor


def _config() -> Command:
    from pivotscope_agent.cli import config  # noqa: PLC0415

    return config


COMMANDS = {
    "run": Known(
        "sample the selected processes until interrupted",
        _run,
        "--select 'service=shop,cmdline=gunicorn.*shop' --collector collector.internal:4640",
    ),
    "exec": Known(
        "run a command and sample it, and all that it starts", _exec, "--service reports -- python report.py"
    ),
    "targets": Known("show Python and Ruby processes, and what stands in the way", _targets, "--output json"),
    "doctor": Known("check everything that the agent needs here", _doctor, "--config /etc/pivotscope/agent.toml"),
    "config": Known("show the configuration as it takes effect", _config, "--select user=reports"),
}


def main(words: Sequence[str]) -> int:
    """Do what a command line asks for; the exit code. Raises AgentError, and SystemExit for help and wrong use."""
    if not words:
        _overview().print_help(sys.stderr)
        return WRONG_USE
    known = COMMANDS.get(words[0])
    if known is None:
        _overview().parse_args(words)
        raise AssertionError(words)
    command = known.load()
    name = f"{PROGRAM} {words[0]}"
    parser = argparse.ArgumentParser(
        prog=name,
        description=getdoc(command.call),
        epilog=f"For example:\n  {name} {known.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_options(parser)
    return command.call(**vars(parser.parse_args(words[1:])))


def _overview() -> argparse.ArgumentParser:
    """Knows the commands' names; what follows them is for their own parsers."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Samples running Python and Ruby processes and streams what it sees to a Pivotscope collector.",
        epilog="Exit codes: 0 fine, 1 a negative answer, 2 wrong use, 3 unreachable or refused; exec: the command's.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, prog=PROGRAM)
    for name, known in COMMANDS.items():
        commands.add_parser(name, help=known.about, add_help=False)
    return parser
