"""The `pivotscope` command: registers the groups, and turns errors into exit codes."""

import io
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from pivotscope_collector.cli import agent_controls, agents, collector, token, transport
from pivotscope_collector.cli.analyze import analyze
from pivotscope_collector.cli.compare import compare
from pivotscope_collector.cli.demo import demo
from pivotscope_collector.cli.diff import diff
from pivotscope_collector.cli.flame import flame
from pivotscope_collector.cli.hotspots import hotspots
from pivotscope_collector.cli.labels import labels
from pivotscope_collector.cli.plan import app as plan
from pivotscope_collector.cli.trend import trend
from pivotscope_collector.errors import NotFoundError, PivotscopeError, UsageError

WRONG_USE = 2
UNREACHABLE = 3

app = typer.Typer(
    name="pivotscope",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="What to move to a faster language first, what it will bring, and whether it did.",
    epilog="Exit codes: 0 fine, 1 a negative answer, 2 wrong use, 3 unreachable or refused.",
)
for command in (hotspots, trend, flame, diff, labels, compare, analyze, demo):
    app.command()(command)
app.add_typer(plan, name="plan")
agent_controls.add_to(agents.app)
app.add_typer(agents.app, name="agents")
app.add_typer(collector.app, name="collector")
app.add_typer(token.app, name="token")
transport.offer(app)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(version("pivotscope"))
        raise typer.Exit


@app.callback()
def pivotscope(
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """What to move to a faster language first, what it will bring, and whether it did."""


def main() -> None:
    """Run the command line; an error that the user can act on is one line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        _run()
    except (UsageError, NotFoundError) as error:
        _fail(error, WRONG_USE)
    except PivotscopeError as error:
        _fail(error, UNREACHABLE)
    except BrokenPipeError:
        # Whoever reads the answer has enough of it.
        _say_no_more()
        sys.exit(0)
    except OSError as error:
        _say_no_more()
        _fail(PivotscopeError(f"cannot write the answer: {error.strerror or error}"), UNREACHABLE)


def _run() -> None:
    try:
        app()
    except SystemExit as ended:
        # The command line's library ends with 1 where nobody reads on.
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None
        raise
    finally:
        sys.stdout.flush()


def _say_no_more() -> None:
    """What is left to be written would be tried again on the way out."""
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open until the end


def _fail(error: PivotscopeError, code: int) -> None:
    sys.stderr.write(f"pivotscope: {error}\n")
    sys.exit(code)
