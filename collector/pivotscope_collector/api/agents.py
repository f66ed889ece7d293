"""Which agents there are, and how they fare."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from pivotscope.v1 import agent_pb2, query_pb2

from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.store import catalogue
from pivotscope_collector.store.client import Client, rows

RECENT_NS = 3600 * 10**9
CONNECTED_NS = 60 * 10**9


def list_agents(client: Client, now_ns: int) -> query_pb2.ListAgentsResponse:
    """Every agent ever seen; `connected` means that something came from it within the last minute."""
    columns = catalogue.agents(client, now_ns - RECENT_NS)
    states = catalogue.agent_states(client)
    return query_pb2.ListAgentsResponse(
        agents=[_agent(row, states.get(row["agent"], {}), now_ns) for row in rows(columns)]
    )


def get_agent(client: Client, name: str, now_ns: int) -> query_pb2.GetAgentResponse:
    """The agent with this id, or whose id alone begins with it. Raises NotFoundError and UsageError."""
    agents = {agent.agent_id: agent for agent in list_agents(client, now_ns).agents}
    found = agents.get(name) or _beginning(agents, name)
    answer = query_pb2.GetAgentResponse(agent=found, collector_version=version("pivotscope"))
    stored = catalogue.agent_status(client, found.agent_id)
    if stored is not None:
        answer.status.CopyFrom(agent_pb2.AgentStatus.FromString(stored[0]))
        answer.received_unix_ns = stored[1]
    return answer


def _beginning(agents: Mapping[str, query_pb2.Agent], name: str) -> query_pb2.Agent:
    candidates = [agent for key, agent in agents.items() if name and key.startswith(name)]
    if len(candidates) > 1:
        raise UsageError(f"{name!r} begins several agents: {', '.join(agent.agent_id for agent in candidates[:10])}")
    if not candidates:
        known = ", ".join(sorted(agents)[:10]) or "none"
        raise NotFoundError(f"no agent {name!r}; known: {known}")
    return candidates[0]


def _agent(row: Mapping[str, Any], states: Mapping[str, int], now_ns: int) -> query_pb2.Agent:
    return query_pb2.Agent(
        agent_id=row["agent"],
        host=row["host"],
        version=row["agent_version"],
        first_seen_unix_ns=row["first_seen_ms"] * 10**6,
        last_seen_unix_ns=row["last_seen_ms"] * 10**6,
        connected=now_ns - row["last_seen_ms"] * 10**6 < CONNECTED_NS,
        targets=row["targets"],
        abilities=list(row["abilities"]),
        clock_offset_seconds=row["clock_offset_ns"] * 1e-9,
        services=sorted(row["services"]),
        outcomes=dict(zip(row["outcomes"], row["counts"], strict=True)),
        target_states=states,
    )
