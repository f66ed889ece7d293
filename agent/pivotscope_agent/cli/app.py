"""The console command `pivotscope-agent`."""

import os
import sys
from typing import NoReturn

import typer

from pivotscope_agent.cli.run import run
from pivotscope_agent.errors import AgentError, SettingsError

app = typer.Typer(
    name="pivotscope-agent",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def _commands() -> None:
    """Samples running Python and Ruby processes and streams what it sees to a Pivotscope collector."""


app.command("run")(run)

WRONG_USE, REFUSED = 2, 3


def main() -> NoReturn:
    """Run the command line. Exit codes: 0 fine, 1 a negative answer, 2 wrong use, 3 unreachable or refused."""
    # gRPC's fork handlers serve children that go on using it. Ours become samplers at once, and pay for them.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    try:
        app()
    except SettingsError as problem:
        _fail(problem, WRONG_USE)
    except AgentError as problem:
        _fail(problem, REFUSED)
    sys.exit(0)


def _fail(problem: AgentError, status: int) -> NoReturn:
    sys.stderr.write(f"pivotscope-agent: {problem}\n")
    sys.exit(status)
