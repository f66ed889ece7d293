"""Sizes, versions and problems of the store, beside everything else that runs."""

from importlib.metadata import version

from pivotscope.v1 import query_pb2

from pivotscope_collector.store.client import Client
from pivotscope_collector.store.sums import rows


def check(client: Client) -> query_pb2.CheckResponse:
    """What the store holds, by table; problems in words, none where all is well."""
    state = next(iter(rows(client.query("store_state"))))
    problems = []
    if state["broken_parts"]:
        problems.append(f"{state['broken_parts']} detached broken parts: see system.detached_parts")
    if state["future_windows"]:
        problems.append(f"{state['future_windows']} windows lie in the future: check the clocks of the agents")
    return query_pb2.CheckResponse(
        collector_version=version("pivotscope"),
        engine_version=state["engine_version"],
        store=client.location,
        schema_version=state["schema_version"],
        tables=[
            query_pb2.TableSize(table=row["table"], rows=row["rows"], bytes=row["bytes"], ttl_days=row["ttl_days"])
            for row in rows(client.query("table_sizes"))
        ],
        problems=problems,
    )
