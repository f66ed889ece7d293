"""All commands of `pivotscope-agent`."""

import typer

from pivotscope_agent.cli.config import config
from pivotscope_agent.cli.doctor import doctor
from pivotscope_agent.cli.exec import exec_
from pivotscope_agent.cli.run import run
from pivotscope_agent.cli.targets import targets

app = typer.Typer(
    name="pivotscope-agent",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("run")(run)
app.command("exec", context_settings={"allow_interspersed_args": False})(exec_)
app.command("targets")(targets)
app.command("doctor")(doctor)
app.command("config")(config)


@app.callback()
def _about() -> None:
    """Samples running Python and Ruby processes and streams what it sees to a Pivotscope collector."""
