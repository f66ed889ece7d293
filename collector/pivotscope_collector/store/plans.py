"""Plans as they were computed: the last one of each scope and hour."""

from dataclasses import dataclass

from pivotscope_collector.store.client import Client

HOUR = 3600
ALL = "all"
"""Scope of the plan over all codebases; any other scope is the name of a codebase."""


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan document (JSON text) and when it was computed, in unix nanoseconds."""

    document: str
    computed_ns: int


def save(client: Client, scope: str, computed_ns: int, content_hash: str, document: str) -> bool:
    """Store a plan unless the newest one of its scope says the same; whether it was stored."""
    newest = client.query("plan_newest", {"scope": scope})
    if newest["content_hash"] and newest["content_hash"][0] == content_hash:
        return False
    client.insert(
        "plans",
        {
            "scope": [scope],
            "as_of": [computed_ns // 10**9 // HOUR * HOUR],
            "computed_at": [computed_ns // 10**9],
            "content_hash": [content_hash],
            "document": [document],
        },
    )
    return True


def newest(client: Client, scope: str) -> StoredPlan | None:
    """The newest plan of a scope."""
    columns = client.query("plan_newest", {"scope": scope})
    if not columns["document"]:
        return None
    return StoredPlan(columns["document"][0], columns["computed_at"][0] * 10**9)
