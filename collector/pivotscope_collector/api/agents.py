"""Which agents there are, and how they fare."""

from pivotscope.v1 import query_pb2

from pivotscope_collector.store import catalogue
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.sums import rows

RECENT_NS = 3600 * 10**9
CONNECTED_NS = 60 * 10**9


def list_agents(client: Client, now_ns: int) -> query_pb2.ListAgentsResponse:
    """Every agent ever seen; `connected` means that something came from it within the last minute."""
    columns = catalogue.agents(client, now_ns - RECENT_NS)
    return query_pb2.ListAgentsResponse(
        agents=[
            query_pb2.Agent(
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
            )
            for row in rows(columns)
        ]
    )
