"""Names: functions by id and by name, services and what their windows carry, agents."""

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from string import Template

import numpy as np
from pivotscope.profile.function import Function, Owner
from pivotscope.profile.language import Language

from pivotscope_collector.estimates.columns import Ids
from pivotscope_collector.store.client import Blocks, Client, Columns, statement
from pivotscope_collector.store.native import numbers, texts
from pivotscope_collector.store.selection import condition
from pivotscope_collector.store.sources import minutes_rolled

_NAMES = ("codebase", "language", "path", "qualified_name", "owner")
_NAMED = ("pools_day", "pools_hour", "pools_minute", "series")
"""Tables of what windows and metrics carry, those with few rows first."""
UNKNOWN = Function("", Language.PYTHON, "", "(unknown)", Owner.RUNTIME)
"""Stands for a function whose name has expired, or has not come yet."""
_AT_ONCE = 5_000
"""Ids in one statement: a server refuses a parameter of more than 128 KiB."""
_OF_SERVICES = ("pools_day", "pools_hour", "pools_minute", "windows")
"""Tables that begin with the service: what is kept longest, in the fewest rows, first."""


class Names:
    """Functions by id: asked once of the store, for an id stands for its names.

    Safe to use from several threads. Bounded: when full it forgets all, which costs a question, not a mistake.
    """

    def __init__(self, client: Client, capacity: int = 50_000) -> None:
        self._client = client
        self._capacity = capacity
        self._known: dict[int, Function] = {}

    def of(self, ids: Iterable[int]) -> dict[int, Function]:
        """The functions with these ids; UNKNOWN for those whose names are not stored, which is not remembered."""
        wanted = list(ids)
        known = self._known
        missing = [key for key in wanted if key not in known]
        if not missing:
            return {key: known[key] for key in wanted}
        found = functions_by_id(self._client, missing)
        if len(known) + len(found) > self._capacity:
            self._known = dict(found) if len(found) <= self._capacity else {}
        else:
            known.update(found)
        return {key: found.get(key) or known.get(key, UNKNOWN) for key in wanted}

    def called(self, name: str) -> dict[int, Function]:
        """As `functions_by_name`."""
        return _ordered(self.of(_ids_by_name(self._client, name)))


def functions_by_id(client: Client, ids: Sequence[int]) -> dict[int, Function]:
    """The functions with these ids."""
    asked = (client.blocks(statement("functions_by_id"), {"ids": part}) for part in _parts(ids))
    return {key: function for found in asked for key, function in _functions(found).items()}


def owned(client: Client, ids: Sequence[int]) -> Ids:
    """Those of the functions that are code of a codebase, not of a package or of the language."""
    asked = (client.arrays(statement("functions_owned"), {"ids": part}) for part in _parts(ids))
    found = [numbers(one["function_id"]) for one in asked if one]
    return np.concatenate(found) if found else np.zeros(0, np.uint64)


def functions_by_name(client: Client, name: str) -> dict[int, Function]:
    """Functions whose qualified name is `name`, or ends with it after a dot or a hash, in the order of their places."""
    return _ordered(functions_by_id(client, _ids_by_name(client, name)))


def knows_service(client: Client, name: str) -> bool:
    """Whether anything is kept of a service, roll-ups of days included."""
    sql = Template(statement("service_stored"))
    return any(client.blocks(sql.substitute(table=table), {"service": name}) for table in _OF_SERVICES)


def services(client: Client, most: int) -> list[str]:
    """Services of late, in order, `most` at most."""
    return list(client.query("services", {"most": most})["service"])


def codebases(client: Client) -> list[str]:
    """Every codebase that ever sent functions of its own, or facts, in order."""
    return list(client.query("codebases")["codebase"])


def values(client: Client, service: str, name: str) -> Iterator[str]:
    """Every environment, version or variant (`name`) of a service, of any where it is empty; some more than once.

    What takes longer to read comes last: whoever looks for one value reads on only until it is found.
    """
    given = {"service": service} if service else {}
    for table in _NAMED:
        sql = Template(statement("names_known")).substitute(name=name, table=table, pools=condition(given))
        yield from client.run(sql, given)["value"]
    sql = Template(statement("names_new")).substitute(name=name, pools=condition(given))
    yield from client.run(sql, {**given, **minutes_rolled(client).bound()})["value"]


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


def _parts(ids: Sequence[int]) -> Iterator[list[int]]:
    return (list(ids[start : start + _AT_ONCE]) for start in range(0, len(ids), _AT_ONCE))


def _ids_by_name(client: Client, name: str) -> list[int]:
    found = client.arrays(statement("functions_by_name"), {"after_dot": f".{name}", "after_hash": f"#{name}"})
    return [int(key) for key in numbers(found["function_id"])] if found else []


def _ordered(found: Mapping[int, Function]) -> dict[int, Function]:
    """By owner, then by where they are."""
    places = {key: (one.owner, one.codebase, one.path, one.qualified_name) for key, one in found.items()}
    return {key: found[key] for key in sorted(found, key=places.__getitem__)}


def _functions(found: Blocks) -> dict[int, Function]:
    if not found:
        return {}
    keys = numbers(found["function_id"]).tolist()
    names = zip(*(texts(found[name]) for name in _NAMES), strict=True)
    return {
        key: Function(codebase, Language(language), path, name, Owner(owner))
        for key, (codebase, language, path, name, owner) in zip(keys, names, strict=True)
    }
