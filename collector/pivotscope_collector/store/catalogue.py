"""Names: functions by id and by name, services, agents."""

from base64 import b64decode
from collections.abc import Sequence

import numpy as np
from pivotscope.profile.function import Function, Owner
from pivotscope.profile.language import Language

from pivotscope_collector.estimates.columns import Ids
from pivotscope_collector.store.client import Client, Columns, statement
from pivotscope_collector.store.sums import rows

UNKNOWN = Function("", Language.PYTHON, "", "(unknown)", Owner.RUNTIME)
"""Stands for a function whose name has expired, or has not come yet."""


def functions_by_id(client: Client, ids: Sequence[int]) -> dict[int, Function]:
    """The functions with these ids."""
    return _functions(client.query("functions_by_id", {"ids": list(ids)}))


def owned(client: Client, ids: Sequence[int]) -> Ids:
    """Those of the functions that are code of a codebase, not of a package or of the language."""
    found = client.arrays(statement("functions_owned"), {"ids": list(ids)})
    return np.asarray(found.get("function_id", ()), np.uint64)


def functions_by_name(client: Client, name: str) -> dict[int, Function]:
    """Functions whose qualified name is `name`, or ends with it after a dot or a hash."""
    return _functions(client.query("functions_by_name", {"name": name}))


def services(client: Client) -> list[str]:
    """Every service that ever sent a window, in order."""
    return list(client.query("services")["service"])


def agents(client: Client, active_since_ns: int) -> Columns:
    """Every agent at its newest epoch, with the services and outcomes of its windows since then."""
    return client.query("agents", {"active_since_ns": active_since_ns})


def agent_states(client: Client) -> dict[str, dict[str, int]]:
    """Selected processes by state of every agent that ever said how it fares."""
    columns = client.query("agent_states")
    return dict(zip(columns["agent"], columns["states"], strict=True))


def agent_status(client: Client, agent: str) -> tuple[bytes, int] | None:
    """The newest AgentStatus message of an agent and when it was received, in unix nanoseconds."""
    columns = client.query("agent_status", {"agent": agent})
    if not columns["status"]:
        return None
    return b64decode(columns["status"][0]), columns["received_ms"][0] * 1_000_000


def _functions(columns: Columns) -> dict[int, Function]:
    return {
        row["function_id"]: Function(
            row["codebase"], Language(row["language"]), row["path"], row["qualified_name"], Owner(row["owner"])
        )
        for row in rows(columns)
    }
