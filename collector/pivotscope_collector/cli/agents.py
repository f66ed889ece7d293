"""`pivotscope agents`: who sends, and how they fare."""

from typing import Any

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask
from pivotscope_collector.cli.format import moment
from pivotscope_collector.reports.table import Column, Output, Table, write

app = typer.Typer(no_args_is_help=True, help="Who sends, and how they fare.")

COLUMNS = (
    Column("agent_id", "agent"),
    Column("host", "host"),
    Column("version", "version"),
    Column("state", "state"),
    Column("last_seen", "last seen"),
    Column("services", "services", ", ".join),
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
        "clock_offset_seconds": agent.clock_offset_seconds,
        "windows": ", ".join(f"{count} {outcome}" for outcome, count in sorted(agent.outcomes.items())) or "none",
    }
