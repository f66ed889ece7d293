"""Tokens and the record of admin calls, as they are stored. Times are unix milliseconds, but for the end of a token."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pivotscope_collector.store.client import Client, rows


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One token. `ends` is in unix seconds."""

    token_id: str
    name: str
    digest: str
    may_read: int
    may_admin: int
    may_write: list[str]
    created_ms: int
    created_by: str
    ends: int
    revoked_by: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One call of the admin service. `request` is JSON, `outcome` the name of a status."""

    called_ms: int
    token_id: str
    token_name: str
    peer: str
    method: str
    request: str
    outcome: str


def tokens(client: Client) -> list[TokenRow]:
    """Every token, those that have ended too."""
    return [TokenRow(**row) for row in rows(client.query("tokens"))]


def save(client: Client, row: TokenRow) -> None:
    """Store a token, or what has become of it."""
    values = asdict(row)
    _insert(
        client,
        "tokens",
        {
            **{name: value for name, value in values.items() if name not in {"created_ms", "ends"}},
            "created_at": row.created_ms,
            "ends_at": row.ends,
            "revision": time.time_ns(),
        },
    )


def record(client: Client, row: AuditRow, entry_id: int) -> None:
    """Keep a call of the admin service."""
    values = asdict(row)
    called = values.pop("called_ms")
    _insert(client, "audit", {**values, "called_at": called, "entry_id": entry_id})


def audit(client: Client, since_ms: int, limit: int) -> list[AuditRow]:
    """Calls of the admin service, newest first."""
    return [AuditRow(**row) for row in rows(client.query("audit", {"since_ms": since_ms, "limit": limit}))]


def _insert(client: Client, table: str, row: Mapping[str, object]) -> None:
    client.insert(table, {name: [value] for name, value in row.items()})
