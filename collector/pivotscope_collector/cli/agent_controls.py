"""`pivotscope agents pause`, `resume`, `set-rate`, `limit`, `facts`, `controls`: what agents are asked to do."""

import getpass
import socket
from enum import StrEnum
from typing import Annotated

import typer
from pivotscope.v1 import agent_pb2, control_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask_admin
from pivotscope_collector.cli.control_text import COLUMNS, document, row, sentences
from pivotscope_collector.cli.when import parse_duration
from pivotscope_collector.errors import UsageError
from pivotscope_collector.reports.table import Output, Table, write, write_json

Agent = Annotated[str, typer.Option("--agent", "-a", help="One agent, by its id or its host; default: every agent.")]
Service = Annotated[str, typer.Option("--service", "-s", help="One service; default: every service.")]
Everything = Annotated[bool, typer.Option("--all", help="Say that every agent and every service is meant.")]
Note = Annotated[str, typer.Option("--note", help="Why; agents tell it with what they leave out.")]
FOREVER = "until-resumed"


class SampledMode(StrEnum):
    """Modes that a window can have."""

    ACTIVE = "active"
    GIL = "gil"
    NATIVE = "native"


WIRE_MODES = {
    SampledMode.ACTIVE: agent_pb2.MODE_ACTIVE,
    SampledMode.GIL: agent_pb2.MODE_GIL,
    SampledMode.NATIVE: agent_pb2.MODE_NATIVE,
}


def pause(
    *,
    agent: Agent = "",
    service: Service = "",
    everything: Everything = False,
    duration: Annotated[str, typer.Option("--for", help=f"How long: 90s, 30m, 2h, 1d, or {FOREVER}.")] = "30m",
    note: Note = "",
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Stop sampling, at once; CPU is still measured, so that nothing is missing but where it went.

    For example:

        pivotscope agents pause --service shop --for 30m --note "release night"

        pivotscope agents pause --all --for until-resumed
    """
    seconds = 0 if duration == FOREVER else parse_duration(duration)
    request = _request(agent, service, note, everything=everything)
    request.pause = seconds
    _change(request, output, collector, token_file)


def resume(
    *,
    agent: Agent = "",
    service: Service = "",
    everything: Everything = False,
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """End pauses. Exit code 1 where a pause of more than this goes on.

    For example:

        pivotscope agents resume --service shop
    """
    request = _request(agent, service, "", everything=everything)
    request.resume = True
    answer = _change(request, output, collector, token_file)
    if answer.standing:
        raise typer.Exit(1)


def set_rate(
    rate: Annotated[str, typer.Argument(help="Looks at a process a second, or `default`: as each agent's settings.")],
    *,
    agent: Agent = "",
    service: Service = "",
    everything: Everything = False,
    note: Note = "",
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Sample at another rate. An agent's highest rate and its CPU budget stand above it.

    For example:

        pivotscope agents set-rate 25 --service shop

        pivotscope agents set-rate default --service shop
    """
    request = _request(agent, service, note, everything=everything)
    request.rate_hz = _number(rate, "a rate in Hz")
    _change(request, output, collector, token_file)


def limit(
    *,
    targets: Annotated[
        str, typer.Option("--targets", help="Processes of a service that an agent samples at once, or `default`.")
    ] = "",
    modes: Annotated[
        list[SampledMode] | None,
        typer.Option("--mode", help="A mode that windows may have; several times for several."),
    ] = None,
    any_mode: Annotated[bool, typer.Option("--any-mode", help="Leave the modes to the agents again.")] = False,
    agent: Agent = "",
    service: Service = "",
    everything: Everything = False,
    note: Note = "",
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Limit how many processes are sampled at once (agents take them in turn), or in which modes.

    For example:

        pivotscope agents limit --service shop --targets 2

        pivotscope agents limit --service shop --mode gil
    """
    if sum((bool(targets), bool(modes), any_mode)) != 1:
        raise UsageError("give one of --targets N, --mode MODE, --any-mode")
    request = _request(agent, service, note, everything=everything)
    if targets:
        request.max_targets = _number(targets, "a number of targets")
    else:
        request.modes.modes.extend(WIRE_MODES[mode] for mode in modes or ())
        request.modes.SetInParent()
    _change(request, output, collector, token_file)


def facts(
    codebase: Annotated[str, typer.Argument(help="Codebase; default: every one.")] = "",
    *,
    agent: Agent = "",
    service: Service = "",
    note: Note = "",
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Have agents read the numbers about source files again; they do so as the files come up in windows.

    It needs no taking back: the request ends by itself after an hour, within which agents that connect are told, too.

    For example:

        pivotscope agents facts shop
    """
    request = _request(agent, service, note, everything=True)
    request.facts.codebase = codebase
    request.facts.SetInParent()
    _change(request, output, collector, token_file)


def controls(
    output: options.OutputOption = Output.TABLE, collector: Address = DEFAULT_ADDRESS, token_file: TokenFile = None
) -> None:
    """List what agents are asked to do now: whom it concerns, who asked, when and why.

    For example:

        pivotscope agents controls --output json
    """
    request = control_pb2.ListControlsRequest()
    answer = ask_admin(
        collector,
        token_file,
        lambda stub, call: stub.ListControls(request, metadata=call.metadata, timeout=call.timeout),
    )
    notes = () if answer.standing else ("Nothing is asked of agents: they do as their settings say.",)
    write(Table(COLUMNS, [row(one) for one in answer.standing], notes=notes), output)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group of agents."""
    for command in (pause, resume, limit, facts, controls):
        app.command()(command)
    app.command("set-rate")(set_rate)


def _request(agent: str, service: str, note: str, *, everything: bool) -> control_pb2.ChangeControlsRequest:
    if not (agent or service or everything):
        raise UsageError("say whom it concerns: --service, --agent, or --all for every service of every agent")
    return control_pb2.ChangeControlsRequest(
        audience=control_pb2.Audience(agent_id=agent, service=service), by=_whoami(), note=note
    )


def _change(
    request: control_pb2.ChangeControlsRequest, output: Output, collector: str, token_file: TokenFile
) -> control_pb2.ChangeControlsResponse:
    answer = ask_admin(
        collector,
        token_file,
        lambda stub, call: stub.ChangeControls(request, metadata=call.metadata, timeout=call.timeout),
    )
    if output is Output.TABLE:
        for sentence in sentences(request, answer):
            typer.echo(sentence)
    elif output is Output.JSON:
        write_json(document(request, answer))
    else:
        write(Table(COLUMNS, [row(one) for one in answer.standing]), output)
    return answer


def _number(text: str, what: str) -> int:
    """A number above 0; 0 for `default`."""
    if text == "default":
        return 0
    if not text.isdecimal() or not 0 < int(text) < 1 << 31:
        raise UsageError(f"{text!r} is not {what}: expected a whole number above 0, or `default`")
    return int(text)


def _whoami() -> str:
    """For the record; where tokens have names, the collector knows better."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"[:200]
