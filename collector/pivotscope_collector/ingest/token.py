"""One shared token, asked of every call before anything else is looked at."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from pivotscope_collector.counters import Count, Counters

_MISSING = "no token: send metadata 'authorization: Bearer <token>' (agent: token_file; CLI: --token-file)"
_WRONG = "wrong token: it must be the one in the collector's token file"


class TokenInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs only
    """Refuses calls without the token with UNAUTHENTICATED. Every wrong token takes the same time to compare."""

    def __init__(self, token: str, counters: Counters) -> None:
        self._token = token.encode()
        self._counters = counters

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:  # noqa: ANN401 - a handler of whatever shape the method has
        """Pass the call on, or answer it with a handler of the same shape that refuses."""
        handler = await continuation(handler_call_details)
        problem = self._problem(handler_call_details)
        if handler is None or not problem:
            return handler
        self._counters.add(Count.STREAMS_REFUSED, label="token")
        return _refusing(handler, problem)

    def _problem(self, details: grpc.HandlerCallDetails) -> str:
        given = dict(details.invocation_metadata or ()).get("authorization", "")
        value = given if isinstance(given, str) else given.decode("utf-8", "replace")
        scheme, _, token = value.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return _MISSING
        return "" if hmac.compare_digest(token.strip().encode(), self._token) else _WRONG


def _refusing(handler: Any, detail: str) -> Any:  # noqa: ANN401 - as above
    async def refuse(_request: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, detail)

    shapes = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    shape = shapes[bool(handler.request_streaming), bool(handler.response_streaming)]
    return shape(refuse, handler.request_deserializer, handler.response_serializer)
