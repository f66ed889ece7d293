"""Looks at every call before anything else does: whose token it is, what it may do, how often."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any

import grpc
import grpc.aio

from pivotscope_collector.counters import Count, Counters, Latency
from pivotscope_collector.security.audit import Audit, Context
from pivotscope_collector.security.book import RefusedError, TokenBook
from pivotscope_collector.security.grant import ANYONE, CALLER, Grant
from pivotscope_collector.security.rate import Buckets

_MISSING = "no token: send metadata 'authorization: Bearer <token>' (agent: token_file; CLI: --token-file)"
_NEEDS: dict[str, tuple[str, Callable[[Grant], bool]]] = {
    "pivotscope.v1.AgentService": ("write", lambda grant: bool(grant.write)),
    "pivotscope.v1.QueryService": ("read", lambda grant: grant.read),
    "pivotscope.v1.AdminService": ("admin", lambda grant: grant.admin),
}
"""Service → the right that it needs. Any other service needs a valid token and no right."""
_PUBLIC = frozenset({"grpc.health.v1.Health"})
_TIMED = frozenset({"pivotscope.v1.QueryService", "pivotscope.v1.AdminService"})
_AUDITED = frozenset({"pivotscope.v1.AdminService"})

_FIRST_MESSAGE_SECONDS = 1.0

Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Any]]


class Doorman(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs only
    """Refuses with UNAUTHENTICATED, RESOURCE_EXHAUSTED or PERMISSION_DENIED; else the call runs with its CALLER set.

    How often is asked before what for: refusing for want of a right has a price too, for it is recorded.
    """

    def __init__(self, book: TokenBook, calls: Buckets, streams: Buckets, audit: Audit, counters: Counters) -> None:
        self._book = book
        self._rates = {
            "pivotscope.v1.AgentService": streams,
            "pivotscope.v1.QueryService": calls,
            "pivotscope.v1.AdminService": calls,
        }
        self._audit = audit
        self._counters = counters

    async def intercept_service(self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails) -> Any:  # noqa: ANN401 - a handler of whatever shape the method has
        """Pass the call on, or answer it with a handler of the same shape that refuses."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        service = method.strip("/").partition("/")[0]
        if handler is None or service in _PUBLIC:
            return handler
        try:
            grant = self._grant(handler_call_details)
        except RefusedError as error:
            return self._refusing(handler, grpc.StatusCode.UNAUTHENTICATED, str(error), "token")
        CALLER.set(grant)
        rate = self._rates.get(service)
        wait = rate.take(grant.token_id) if rate and grant is not ANYONE else 0.0
        if wait:
            detail = f"token {grant.name!r} asks too often: ask again in {wait:.1f} s, or raise calls_per_second"
            return self._refusing(handler, grpc.StatusCode.RESOURCE_EXHAUSTED, detail, "rate")
        right, allows = _NEEDS.get(service, ("", lambda _: True))
        if not allows(grant):
            detail = f"token {grant.name!r} may {grant.rights}; this needs {right}"
            refusing = self._refusing(handler, grpc.StatusCode.PERMISSION_DENIED, detail, "right")
            return self._around(refusing, method, grant, audited=service in _AUDITED, timed=False)
        return self._around(handler, method, grant, audited=service in _AUDITED, timed=service in _TIMED)

    def _grant(self, details: grpc.HandlerCallDetails) -> Grant:
        if self._book.open:
            return ANYONE
        given = dict(details.invocation_metadata or ()).get("authorization", "")
        value = given if isinstance(given, str) else given.decode("utf-8", "replace")
        scheme, _, token = value.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise RefusedError(_MISSING)
        return self._book.judge(token.strip())

    def _refusing(self, handler: Any, code: grpc.StatusCode, detail: str, label: str) -> Any:  # noqa: ANN401 - as above
        self._counters.add(Count.CALLS_REFUSED, label=label)

        async def refuse(request: Any, context: Context) -> None:  # noqa: ANN401 - a message, or an iterator of them
            if handler.request_streaming:
                # Who is cut off while sending the first message reports that instead of the reason.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_FIRST_MESSAGE_SECONDS):
                        await anext(request, None)
            await context.abort(code, detail)

        shapes = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }
        shape = shapes[bool(handler.request_streaming), bool(handler.response_streaming)]
        # What a stranger sends is not even decoded.
        return shape(
            refuse, None if handler.request_streaming else handler.request_deserializer, handler.response_serializer
        )

    def _around(self, handler: Any, method: str, grant: Grant, *, audited: bool, timed: bool) -> Any:  # noqa: ANN401 - as above
        """The handler with what has to happen around each call; one whose caller streams stays as it is."""
        if handler.request_streaming or not (audited or timed):
            return handler
        if handler.response_streaming:
            return self._around_stream(handler, method, grant) if audited else handler
        answer = handler.unary_unary

        async def recorded(request: object, context: Context) -> object:
            began = time.monotonic()
            try:
                response: object = await answer(request, context)
            except Exception:
                if audited:
                    await self._audit.keep(grant, method, request, context, _name(context.code()))
                raise
            finally:
                if timed:
                    self._counters.took(Latency.CALL, time.monotonic() - began)
            if audited:
                await self._audit.keep(grant, method, request, context, grpc.StatusCode.OK.name)
            return response

        return grpc.unary_unary_rpc_method_handler(recorded, handler.request_deserializer, handler.response_serializer)

    def _around_stream(self, handler: Any, method: str, grant: Grant) -> Any:  # noqa: ANN401 - as above
        """One that is answered with a stream is recorded when that has ended; it may take hours, so it is not timed."""
        answer = handler.unary_stream

        async def recorded(request: object, context: Context) -> AsyncIterator[object]:
            outcome = grpc.StatusCode.CANCELLED.name
            try:
                async with aclosing(answer(request, context)) as responses:
                    async for response in responses:
                        yield response
                outcome = grpc.StatusCode.OK.name
            except Exception:
                outcome = _name(context.code())
                raise
            finally:
                await self._audit.keep(grant, method, request, context, outcome)

        return grpc.unary_stream_rpc_method_handler(recorded, handler.request_deserializer, handler.response_serializer)


def _name(code: object) -> str:
    """The name of a status, which the context tells as a status or as its number."""
    if isinstance(code, grpc.StatusCode):
        return code.name
    return next((status.name for status in grpc.StatusCode if status.value[0] == code), grpc.StatusCode.UNKNOWN.name)
