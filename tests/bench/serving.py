"""The query service on a port of its own, beside whoever asks it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import grpc.aio
from pivotscope.v1 import query_pb2_grpc
from pivotscope_collector.api.service import QueryService
from pivotscope_collector.settings import QueryLimits
from pivotscope_collector.store.client import Client


@contextmanager
def serving(client: Client, limits: QueryLimits) -> Iterator[str]:
    """Serves a store while the block runs; gives the address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[grpc.aio.Server, int]:
        server = grpc.aio.server(options=[("grpc.max_send_message_length", 1 << 26)])
        query_pb2_grpc.add_QueryServiceServicer_to_server(QueryService(client, limits), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
