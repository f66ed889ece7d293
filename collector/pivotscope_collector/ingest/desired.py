"""What is asked of agents, from the store to every stream it concerns."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pivotscope.v1 import agent_pb2 as pb

from pivotscope_collector.clock import Clock
from pivotscope_collector.errors import StoreError
from pivotscope_collector.ingest.wishes import Wishes, message_of, wishes_of
from pivotscope_collector.security.grant import Grant
from pivotscope_collector.store import controls
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.controls import Standing

_LOG = logging.getLogger(__name__)
SECONDS = 2.0
"""Between two looks: a pause may have ended, and another collector may have written."""

Send = Callable[[pb.StreamResponse], None]


@dataclass(slots=True, eq=False)
class _Follower:
    agent: str
    grant: Grant
    send: Send
    told: Wishes | None = field(default=None)


class Desired:
    """Looks at what is asked of agents every few seconds, and tells each stream when it changes for its agent.

    A store that nobody else writes to is read only after something was asked here. While the store cannot be read,
    agents go on as they are: they are told nothing rather than that nothing is asked.
    """

    def __init__(self, client: Client, clock: Clock, seconds: float = SECONDS) -> None:
        self._client = client
        self._clock = clock
        self._seconds = seconds
        self._standing: Sequence[Standing] | None = None
        self._read_at: int | None = None
        self._followers: set[_Follower] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="desired state")

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def wake(self) -> None:
        """Look now: this collector has just written."""
        self._wake.set()

    @contextmanager
    def following(self, agent: str, grant: Grant, send: Send) -> Iterator[None]:
        """Tell an agent's stream what is asked of it now, and whatever changes while the block runs.

        `grant` is that of the stream: it is told of no service that it may not write.
        """
        follower = _Follower(agent, grant, send)
        self._followers.add(follower)
        try:
            self._tell(follower)
            yield
        finally:
            self._followers.discard(follower)

    async def refresh(self) -> None:
        """Read what may have changed and tell the streams. A store that cannot be read leaves things as they are."""
        writes = self._client.writes("controls")
        if writes is None or writes != self._read_at:
            try:
                self._standing = await asyncio.to_thread(controls.standing, self._client, self._clock.unix_ns())
                self._read_at = writes
            except StoreError as error:
                _LOG.warning("what is asked of agents cannot be read: %s", error)
        for follower in tuple(self._followers):
            self._tell(follower)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.refresh()
            except Exception:  # noqa: BLE001 - agents are told again at the next look; this one is logged
                _LOG.exception("agents could not be told what is asked of them")
            try:
                async with asyncio.timeout(self._seconds):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _tell(self, follower: _Follower) -> None:
        if self._standing is None:
            return
        now_ns = self._clock.unix_ns()
        wishes = wishes_of(self._standing, follower.agent, now_ns, follower.grant)
        if wishes != follower.told:
            follower.told = wishes
            follower.send(pb.StreamResponse(control=pb.Control(desired_state=message_of(wishes, now_ns))))
