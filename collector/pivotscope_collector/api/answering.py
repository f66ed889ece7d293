"""Questions and their bounds: so many at once, so long, so much read; and errors as statuses, translated once."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any, TypeVar

import grpc

from pivotscope_collector.errors import (
    DeadlineError,
    NotComparableError,
    NotFoundError,
    PivotscopeError,
    StoreError,
    TooMuchError,
    UsageError,
)
from pivotscope_collector.settings import QueryLimits
from pivotscope_collector.store import bounds
from pivotscope_collector.store.bounds import Bounds

Answer = TypeVar("Answer")
Context = grpc.aio.ServicerContext[Any, Any]

STATUS = {
    NotFoundError: grpc.StatusCode.NOT_FOUND,
    UsageError: grpc.StatusCode.INVALID_ARGUMENT,
    NotComparableError: grpc.StatusCode.FAILED_PRECONDITION,
    TooMuchError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    DeadlineError: grpc.StatusCode.DEADLINE_EXCEEDED,
    StoreError: grpc.StatusCode.INTERNAL,
}


async def answered(context: Context, work: Callable[[], Answer]) -> Answer:
    """Do blocking work off the loop; an error of ours becomes a status."""
    return await _or_status(context, asyncio.to_thread(work))


async def streamed(context: Context, answers: AsyncGenerator[Answer, None]) -> AsyncIterator[Answer]:
    """Pass answers on as they come; an error of ours becomes a status, and a caller that goes away ends the work."""
    try:
        async with aclosing(answers):
            async for answer in answers:
                yield answer
    except PivotscopeError as error:
        await context.abort(STATUS.get(type(error), grpc.StatusCode.INTERNAL), str(error))


class Questions:
    """Answers questions on threads of its own, each within its limits and within the time that its caller has."""

    def __init__(self, limits: QueryLimits) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.at_once, thread_name_prefix="query")
        self._open = 0

    async def answered(self, context: Context, work: Callable[[], Answer]) -> Answer:
        """As `answered`, bounded."""
        limits = self._limits
        if self._open >= limits.at_once + limits.waiting:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"{self._open} questions are being answered: ask again later"
            )
        left = context.time_remaining()
        seconds = limits.seconds if left is None else min(left, limits.seconds)
        held = Bounds(time.monotonic() + seconds, limits.rows, limits.memory_mb << 20)

        def bounded() -> Answer:
            with bounds.within(held):
                return work()

        self._open += 1
        try:
            return await _or_status(context, asyncio.get_running_loop().run_in_executor(self._threads, bounded))
        finally:
            self._open -= 1


async def _or_status(context: Context, answer: "asyncio.Future[Answer] | Any") -> Answer:  # noqa: ANN401 - or a coroutine
    try:
        found: Answer = await answer
    except PivotscopeError as error:
        await context.abort(STATUS.get(type(error), grpc.StatusCode.INTERNAL), str(error))
        raise  # abort raises; this tells the type checker so
    return found
