"""Whether the collector should get traffic: its tables are there, its store answers, and it is not about to end."""

import asyncio
from collections.abc import Callable
from enum import StrEnum

ANSWER_SECONDS = 3.0


class Stage(StrEnum):
    """Where the collector is in its life."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


class Readiness:
    """`ask` is a cheap question to the store; it blocks, and raises where there is no answer."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[object] | None = None
        self.stage = Stage.STARTING

    async def problem(self) -> str:
        """Why it is not ready; empty where it is. One question at a time: a store that hangs is asked once."""
        if self.stage is not Stage.SERVING:
            return str(self.stage)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(asyncio.to_thread(self._ask))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await asyncio.shield(self._asking)
        except TimeoutError:
            return f"the store does not answer within {ANSWER_SECONDS:g} s"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is why this one is not ready
            return str(error)
        return ""
