"""Certificates and tokens are replaced while the agent runs: a new stream then soon uses the new ones."""

import asyncio
import logging
from collections.abc import Callable

from pivotscope.transport.files import Stamp

from pivotscope_agent.pipeline.channel import Endpoint, check_files

log = logging.getLogger(__name__)

LOOK_S = 2.0


class Renewal:
    """Compares an endpoint's files with those that the last connection was made with.

    `on_change` is called, perhaps more than once, while newer files that can be used wait to be used. Files that
    cannot be used are said once, and what runs goes on.
    """

    def __init__(self, endpoint: Endpoint, on_change: Callable[[], None]) -> None:
        self._endpoint = endpoint
        self._on_change = on_change
        self._used: Stamp = ()
        self._judged: Stamp = ()
        self._fit = True

    def begin(self) -> None:
        """The files are about to be read for a connection."""
        self._used = self._judged = self._endpoint.stamp()

    async def run(self) -> None:
        """Look every two seconds, for ever."""
        while self._endpoint.files:
            await asyncio.sleep(LOOK_S)
            await asyncio.to_thread(self._look)
            if self._judged != self._used and self._fit:
                self._on_change()

    def _look(self) -> None:
        found = self._endpoint.stamp()
        if found == self._judged:
            return
        problem = check_files(self._endpoint)
        if found != self._endpoint.stamp():
            return  # still being written
        self._judged, self._fit = found, not problem
        if found == self._used:
            return
        if problem:
            log.warning("collector: changed files are not used yet, the connection stays as it is: %s", problem)
        else:
            log.info("collector: token or certificates have changed; a new stream takes them up")
