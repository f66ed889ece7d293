"""The record of admin calls."""

import asyncio
import logging
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import grpc.aio
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from pivotscope_collector.clock import Clock
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.errors import PivotscopeError
from pivotscope_collector.security.grant import Grant
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.tokens import AuditRow, record

_LOG = logging.getLogger(__name__)
_REQUEST_CHARACTERS = 4_000

Context = grpc.aio.ServicerContext[Any, Any]


class Audit:
    """Keeps who called which method of the admin service, with what, and what came of it. Requests hold no secrets."""

    def __init__(self, client: Client, clock: Clock, counters: Counters) -> None:
        self._client = client
        self._clock = clock
        self._counters = counters

    async def keep(self, grant: Grant, method: str, request: object, context: Context, outcome: str) -> None:
        """Store one call; a store that does not take it is logged and counted, and does not fail the call."""
        text = MessageToJson(request, indent=None) if isinstance(request, Message) else ""
        row = AuditRow(
            self._clock.unix_ns() // 10**6,
            grant.token_id,
            grant.name,
            caller(context.peer(), context.auth_context()),
            method.rpartition("/")[2],
            text[:_REQUEST_CHARACTERS],
            outcome,
        )
        try:
            await asyncio.to_thread(record, self._client, row, secrets.randbits(63))
        except PivotscopeError as error:
            self._counters.add(Count.AUDIT_FAILURES)
            _LOG.error("a call of %s by %s could not be recorded: %s", row.method, grant.name, error)


def caller(peer: str | None, authenticated: Mapping[str, Iterable[bytes]]) -> str:
    """The address of a caller, and the name in its certificate where it gave one."""
    names = authenticated.get("x509_common_name", ())
    return " ".join([peer or "", *(f"CN={name.decode('utf-8', 'replace')}" for name in names)])
