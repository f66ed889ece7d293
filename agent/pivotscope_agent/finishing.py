"""From a sampler's text to a window with samples: parse → fold → name."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from pivotscope.profile.errors import ProfileFormatError
from pivotscope.profile.folded import FoldedStack
from pivotscope.profile.folding import fold
from pivotscope.profile.frame import RawStack
from pivotscope.profile.language import Language
from pivotscope.profile.pyspy import parse_pyspy
from pivotscope.profile.rbspy import parse_rbspy
from pivotscope.profile.window import Mode, Outcome, Window
from pivotscope.source.names import FileNames

from pivotscope_agent.naming.resolver import Resolver
from pivotscope_agent.targets.target import Target

log = logging.getLogger(__name__)

PARSERS: Mapping[Language, Callable[[str], Iterable[RawStack]]] = {
    Language.PYTHON: parse_pyspy,
    Language.RUBY: parse_rbspy,
}
WAITING_WINDOWS = 1_000
"""Windows that may wait for names. Beyond, they are handed on without their samples: their CPU still counts."""


class Names(Protocol):
    """Who knows the functions of source files."""

    def resolver(self, target: Target) -> Resolver:
        """The resolver for a process; processes of one codebase in one place may share it."""

    async def look_up(self, target: Target, files: tuple[str, ...]) -> Mapping[str, FileNames | None]:
        """Names of the functions in these files, absolute as the process sees them. Bounded in time; never raises."""


class Finishing:
    """Takes windows as they end and hands them on, in order, once their functions are named."""

    def __init__(self, names: Names, hand_on: Callable[[Iterable[Window]], None]) -> None:
        self._names = names
        self._hand_on = hand_on
        self._waiting: asyncio.Queue[tuple[Target, Window, str]] = asyncio.Queue(WAITING_WINDOWS)

    def add(self, target: Target, window: Window, text: str) -> None:
        """Take a window and what its sampler wrote. Never blocks, never raises."""
        if not text:
            self._hand_on((window,))
            return
        try:
            self._waiting.put_nowait((target, window, text))
        except asyncio.QueueFull:
            self._hand_on((_failed(window, "too many windows wait for the names of their functions"),))

    async def run(self) -> None:
        """Name windows until cancelled."""
        while True:
            target, window, text = await self._waiting.get()
            try:
                finished = await self._finish(target, window, text)
            except Exception:
                log.exception("a window of process %d could not be named", target.process.pid)
                finished = _failed(window, "internal error while naming its functions, see the agent's log")
            self._hand_on((finished,))
            self._waiting.task_done()

    async def join(self) -> None:
        """Wait until nothing waits."""
        await self._waiting.join()

    async def _finish(self, target: Target, window: Window, text: str) -> Window:
        resolver = self._names.resolver(target)
        try:
            folded = fold(PARSERS[target.process.language](text), settle=False, iterators=resolver.iterators)
        except ProfileFormatError as problem:
            return _failed(window, f"the sampler's output cannot be read: {problem}")
        await self._learn(target, resolver, folded.stacks)
        return replace(window, samples=resolver.resolve(folded.stacks, drop_waiting=window.mode is Mode.ACTIVE))

    async def _learn(self, target: Target, resolver: Resolver, stacks: tuple[FoldedStack, ...]) -> None:
        pending = resolver.pending_files(stacks)
        if pending:
            found = await self._names.look_up(target, pending)
            for file in pending:
                resolver.learn(file, found.get(file))


def _failed(window: Window, reason: str) -> Window:
    return replace(window, outcome=Outcome.SAMPLER_FAILED, reason=reason, ticks=0, samples=())
