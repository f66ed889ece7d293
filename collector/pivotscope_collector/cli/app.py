"""The `pivotscope` command: registers the groups, and turns errors into exit codes."""

import sys
from importlib.metadata import version
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
    try:
        app()
    except (UsageError, NotFoundError) as error:
        _fail(error, WRONG_USE)
    except PivotscopeError as error:
        _fail(error, UNREACHABLE)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


def _fail(error: PivotscopeError, code: int) -> None:
    sys.stderr.write(f"pivotscope: {error}\n")
    sys.exit(code)
