"""The tokens that are valid now, as this collector knows them: looked at every few seconds."""

import asyncio
import hmac
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from pivotscope_collector.clock import Clock
from pivotscope_collector.errors import PivotscopeError
from pivotscope_collector.security.grant import ALL, ANYONE, NEVER, Grant
from pivotscope_collector.security.token import digest, id_of
from pivotscope_collector.store import tokens as stored
from pivotscope_collector.store.client import Client

_LOG = logging.getLogger(__name__)

LOOK_SECONDS = 3.0
WRONG = "wrong token: it must be one that `pivotscope token create` made, or the one in the collector's token file"
_NO_DIGEST = "0" * 64

Watch = tuple[Grant, Callable[[str], None]]


class RefusedError(Exception):
    """A token is not valid; says why to whoever holds it."""


class TokenBook:
    """Judges tokens from memory. A token that was revoked anywhere is refused here within seconds.

    `read_file` gives the token of the collector's own file, which may do everything; None: no token is asked for.
    While the file or the store cannot be read, what was last read of it holds.
    """

    def __init__(self, client: Client, clock: Clock, read_file: Callable[[], str] | None) -> None:
        self._client = client
        self._clock = clock
        self._read_file = read_file
        self._first = ANYONE
        self._known: dict[str, Grant] = {}
        self._read_at: int | None = None
        self._reading = threading.Lock()
        self._watches: dict[int, Watch] = {}
        self._number = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        """Whether nobody is asked for a token."""
        return self._read_file is None

    def grants(self) -> list[Grant]:
        """Every token of the store, ended ones too, as last read."""
        return list(self._known.values())

    def refresh(self) -> None:
        """Read the file, and the store as `read_store` does; one that cannot be read does not keep the other from it.

        Blocks. Raises PivotscopeError once both were tried.
        """
        try:
            self._read_first()
        finally:
            self.read_store()

    def read_store(self) -> None:
        """Read the tokens of the store where they may have changed since they were read. Blocks. Raises StoreError."""
        # What was read, and as of which write, are one: a thread that read earlier must not put its own over it.
        with self._reading:
            writes = self._client.writes("tokens")
            if writes is None or writes != self._read_at:
                self._known = {row.token_id: _grant(row) for row in stored.tokens(self._client)}
                self._read_at = writes

    def start(self) -> None:
        """Begin to refresh every few seconds."""
        self._task = asyncio.create_task(self._run(), name="tokens")

    async def close(self) -> None:
        """Refresh no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def look(self) -> None:
        """Refresh once; a failure is logged. Those who watch a token that has ended are told, whatever was read."""
        try:
            await asyncio.to_thread(self.refresh)
        except PivotscopeError as error:
            _LOG.error("tokens could not be read anew, those known so far hold: %s", error)
        finally:
            self._tell()

    def judge(self, token: str) -> Grant:
        """The rights of a token. Raises RefusedError. Takes the same time for every wrong one."""
        found = digest(token)
        candidate = self._known.get(id_of(token))
        own = hmac.compare_digest(found, candidate.digest if candidate else _NO_DIGEST)
        first = hmac.compare_digest(found, self._first.digest or _NO_DIGEST)
        if first:
            return self._first
        if candidate is None or not own:
            raise RefusedError(WRONG)
        problem = self._ended(candidate)
        if problem:
            raise RefusedError(problem)
        return candidate

    def problem(self, grant: Grant) -> str:
        """Why rights that were given earlier do not hold any more; empty where they do."""
        if grant is ANYONE:
            return ""
        now = self._first if grant.token_id == self._first.token_id else self._known.get(grant.token_id)
        if now is None or now.digest != grant.digest:
            return f"token {grant.name!r} is not valid any more: it was replaced or removed"
        return self._ended(now)

    @contextmanager
    def watched(self, grant: Grant, tell: Callable[[str], None]) -> Iterator[None]:
        """While the block runs, `tell` is called with the reason, perhaps repeatedly, once the rights have ended."""
        self._number += 1
        number = self._number
        self._watches[number] = (grant, tell)
        try:
            yield
        finally:
            del self._watches[number]

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - tokens must go on ending; the next look reads them again
                _LOG.exception("tokens could not be looked at, those known so far hold")

    def _read_first(self) -> None:
        if self._read_file is not None:
            self._first = Grant(
                "file", "token file", digest(self._read_file()), read=True, admin=True, write=frozenset({ALL})
            )

    def _tell(self) -> None:
        for grant, tell in list(self._watches.values()):
            problem = self.problem(grant)
            if problem:
                tell(problem)

    def _ended(self, grant: Grant) -> str:
        if grant.revoked_by:
            return f"token {grant.name!r} was revoked; ask for a new one"
        if grant.ends <= self._clock.unix_ns() // 10**9:
            return f"token {grant.name!r} ended at {datetime.fromtimestamp(grant.ends, UTC):%Y-%m-%d %H:%M} UTC"
        return ""


def _grant(row: stored.TokenRow) -> Grant:
    return Grant(
        row.token_id,
        row.name,
        row.digest,
        read=bool(row.may_read),
        admin=bool(row.may_admin),
        write=frozenset(row.may_write),
        created_ms=row.created_ms,
        created_by=row.created_by,
        ends=min(row.ends, NEVER),
        revoked_by=row.revoked_by,
    )
