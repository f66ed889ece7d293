"""`pivotscope agents`: who sends, and how they fare."""

import time
from typing import Annotated, Any

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli import agent_status, options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask
from pivotscope_collector.cli.format import moment
from pivotscope_collector.reports.table import Column, Output, Table, write, write_json

app = typer.Typer(no_args_is_help=True, help="Who sends, and how they fare.")

COLUMNS = (
    Column("agent_id", "agent"),
    Column("host", "host"),
    Column("version", "version"),
    Column("state", "state"),
    Column("last_seen", "last seen"),
    Column("services", "services", ", ".join),
    Column("target_states", "processes", lambda states: ", ".join(f"{n} {state}" for state, n in states.items())),
    Column("windows", "windows in the last hour"),
)


@app.callback()
def agents() -> None:
    """Who sends, and how they fare."""


@app.command("list")
def list_agents(
    output: options.OutputOption = Output.TABLE, collector: Address = DEFAULT_ADDRESS, token_file: TokenFile = None
) -> None:
    """List the agents that ever connected.

    For example:

        pivotscope agents list --output json
    """
    request = query_pb2.ListAgentsRequest()
    answer = ask(
        collector, token_file, lambda stub, call: stub.ListAgents(request, metadata=call.metadata, timeout=call.timeout)
    )
    notes = () if answer.agents else ("No agent has connected yet; `pivotscope-agent doctor` tells what is missing.",)
    write(Table(COLUMNS, [_row(agent) for agent in answer.agents], notes=notes), output)


@app.command("show")
def show_agent(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Its id, or the beginning of it.")],
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Show what an agent does with each process and why, what it costs, and what it had to give up.

    CSV has a row for each process.

    For example:

        pivotscope agents show web-1-3f2a9c01
    """
    request = query_pb2.GetAgentRequest(agent=agent)
    answer = ask(
        collector, token_file, lambda stub, call: stub.GetAgent(request, metadata=call.metadata, timeout=call.timeout)
    )
    found = agent_status.document(answer, time.time_ns())
    if output is Output.JSON:
        write_json(found)
    else:
        write(agent_status.table(found), output)


def _row(agent: query_pb2.Agent) -> dict[str, Any]:
    return {
        "agent_id": agent.agent_id,
        "host": agent.host,
        "version": agent.version,
        "state": "connected" if agent.connected else "silent",
        "first_seen": moment(agent.first_seen_unix_ns),
        "last_seen": moment(agent.last_seen_unix_ns),
        "services": list(agent.services),
        "abilities": list(agent.abilities),
        "targets": agent.targets,
        "target_states": dict(sorted(agent.target_states.items())),
        "clock_offset_seconds": agent.clock_offset_seconds,
        "windows": ", ".join(f"{count} {outcome}" for outcome, count in sorted(agent.outcomes.items())) or "none",
    }
