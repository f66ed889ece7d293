"""Sizes, versions, growth and problems of the store, beside everything else that runs."""

import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from pivotscope.v1 import query_pb2

from pivotscope_collector.ingest.cardinality import Reached
from pivotscope_collector.store import corrections, storage
from pivotscope_collector.store.client import Client, rows
from pivotscope_collector.store.storage import TableCost, days_left

LOW_DAYS = 14.0
"""Days left of the disk below which there is a problem."""

MANY = {"functions": 100_000, "series": 20_000, "instances": 5_000, "versions": 500}
"""Different names of one service in two days beyond which somebody puts identities into names."""

FOREVER = 3650.0
"""Days beyond which nobody counts."""

_DAY = 86_400
_LOOK_BACK = 2 * _DAY


def check(client: Client, reached: Sequence[Reached] = ()) -> query_pb2.CheckResponse:
    """What the store holds, by table; problems in words, none where all is well. `reached` are bounds of names."""
    state = next(iter(rows(client.query("store_state"))))
    costs = storage.tables(client)
    logs = list(rows(client.query("system_logs")))
    services = list(rows(client.query("cardinality", {"since": int(time.time()) - _LOOK_BACK})))
    left = days_left(costs, state["free_bytes"], state["age_days"])
    moved = corrections.of_agents(client, time.time_ns() - _LOOK_BACK * 10**9)
    problems = [*storage.damage(client), *_store(state), *_parts(costs), *_disk(left), *_logs(logs)]
    problems += [*_names(services), *_bounds(reached), *_clocks(moved)]
    return query_pb2.CheckResponse(
        collector_version=version("pivotscope"),
        engine_version=state["engine_version"],
        store=client.location,
        schema_version=state["schema_version"],
        tables=[_table(cost, state["age_days"]) for cost in costs],
        problems=problems,
        free_bytes=state["free_bytes"],
        days_left=left if left < FOREVER else 0.0,
        system_logs=[query_pb2.SystemLog(**log) for log in logs],
        cardinality=[query_pb2.ServiceCardinality(**service) for service in services],
    )


def _table(cost: TableCost, age_days: float) -> query_pb2.TableSize:
    rate = cost.bytes_a_day(age_days)
    return query_pb2.TableSize(
        table=cost.table,
        rows=cost.rows,
        bytes=cost.bytes,
        ttl_days=cost.ttl_days,
        bytes_a_day=round(rate),
        parts=cost.parts,
        bytes_when_full=round(max(float(cost.bytes), rate * cost.ttl_days)),
    )


def _store(state: Any) -> Iterator[str]:  # noqa: ANN401 - a row of store_state
    if state["future_windows"]:
        yield f"{state['future_windows']} windows lie in the future: check the clocks of the agents"
    if state["readonly_replicas"]:
        yield f"{state['readonly_replicas']} replicated tables are read-only: the server has lost its keeper"


def _parts(costs: list[TableCost]) -> Iterator[str]:
    for cost in costs:
        if cost.most_parts >= storage.MANY_PARTS:
            yield f"{cost.table}: {cost.most_parts} parts in a partition: merges fall behind; look at the disk's load"


def _disk(left: float) -> Iterator[str]:
    if left < LOW_DAYS:
        yield f"the disk is full in {left:.1f} days at this rate: enlarge it, or lower retention.raw_days"


def _logs(logs: list[Any]) -> Iterator[str]:
    for log in logs:
        if not log["ttl_days"]:
            yield (
                f"system.{log['table']} grows without bound, {log['bytes'] / 1e6:.0f} MB now: set "
                "retention.system_log_days, or give it a TTL in the server's configuration"
            )


def _names(services: list[Any]) -> Iterator[str]:
    for service in services:
        for kind, most in MANY.items():
            if service[kind] > most:
                yield (
                    f"{service['service']}: {service[kind]:,} {kind} in two days, more than {most:,}: "
                    "is an id or an address part of a name?"
                )


def _bounds(reached: Sequence[Reached]) -> Iterator[str]:
    for one in reached:
        rest = "the rest is refused" if one.kind == "series" else "the rest counts as (other)"
        yield (
            f"{one.scope}: more than {one.bound:,} {one.kind} today, {one.beyond:,} definitions beyond; {rest}: "
            "is an id or an address part of a name?"
        )


def _clocks(moved: list[tuple[str, int, int]]) -> Iterator[str]:
    for agent, late, future in moved:
        times = " and ".join(
            f"{count:,} windows {words}" for count, words in ((future, "from the future"), (late, "too old")) if count
        )
        yield f"agent {agent} sent {times} in two days, booked when they came: check its clock, and its spool"
