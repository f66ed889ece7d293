"""Stands between agent and collector, hands every message on as it is, and writes down what was sent and stored."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast

import grpc
from grpc import aio
from pivotscope.v1 import agent_pb2 as pb

METHOD = "/pivotscope.v1.AgentService/Stream"
_OPTIONS = (("grpc.max_receive_message_length", 8 << 20), ("grpc.max_send_message_length", 8 << 20))


@dataclass
class Seen:
    """Of one agent: windows by (epoch, sequence), how far each epoch is acknowledged, and what was refused for good.

    `dropped` is what batches told of drops.
    """

    windows: dict[tuple[int, int], int] = field(default_factory=dict)
    acknowledged: dict[int, int] = field(default_factory=dict)
    refused: dict[tuple[int, int], str] = field(default_factory=dict)
    dropped: dict[tuple[int, int], dict[str, int]] = field(default_factory=dict)
    repeated: int = 0
    streams: int = 0

    def stored(self) -> dict[tuple[int, int], int]:
        """Windows by (epoch, sequence) of everything that the collector said to have stored."""
        return {
            name: count
            for name, count in self.windows.items()
            if name[1] <= self.acknowledged.get(name[0], 0) and name not in self.refused
        }


class Recorder:
    """A gRPC server on a port of its own, in a thread with a loop of its own."""

    def __init__(self, to: str) -> None:
        self.seen = Seen()
        self.port = 0
        self._to = to
        self._loop = asyncio.new_event_loop()
        self._server: aio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="recorder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10.0)
        self._loop.close()

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20.0)

    async def _start(self) -> None:
        self._server = aio.server(options=_OPTIONS)
        handler = grpc.stream_stream_rpc_method_handler(cast("Any", self._stream))
        service = grpc.method_handlers_generic_handler("pivotscope.v1.AgentService", {"Stream": handler})
        self._server.add_generic_rpc_handlers((service,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()

    async def _stop(self) -> None:
        if self._server is not None:
            await self._server.stop(0)

    async def _stream(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        self.seen.streams += 1
        epoch: list[int] = []
        async with aio.insecure_channel(self._to, options=_OPTIONS) as channel:
            call = cast("Any", channel).stream_stream(METHOD)(self._up(requests, epoch))
            try:
                async for answer in call:
                    self._down(cast("bytes", answer), epoch)
                    yield cast("bytes", answer)
            except aio.AioRpcError as error:
                await context.abort(error.code(), error.details() or "")
            finally:
                call.cancel()

    async def _up(self, requests: AsyncIterator[bytes], epoch: list[int]) -> AsyncIterator[bytes]:
        async for data in requests:
            request = pb.StreamRequest.FromString(data)
            match request.WhichOneof("message"):
                case "hello":
                    epoch[:] = [request.hello.epoch]
                case "batch":
                    name = (epoch[0], request.batch.sequence)
                    self.seen.repeated += name in self.seen.windows
                    self.seen.windows[name] = len(request.batch.windows)
                    self.seen.dropped[name] = dict(request.batch.dropped)
            yield data

    def _down(self, data: bytes, epoch: list[int]) -> None:
        response = pb.StreamResponse.FromString(data)
        match response.WhichOneof("message"):
            case "ack":
                before = self.seen.acknowledged.get(epoch[0], 0)
                self.seen.acknowledged[epoch[0]] = max(before, response.ack.sequence)
            case "rejection" if not response.rejection.retryable:
                self.seen.refused[epoch[0], response.rejection.sequence] = response.rejection.detail
