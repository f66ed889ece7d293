"""The store's time of reception: what windows and roll-ups are stamped with, whatever wall clocks do.

A roll-up claims to hold all that was received by some moment. That is true only if nothing is stamped with that moment
or an earlier one, and seen later. So this time never goes back, and whoever stamps and whoever looks meet in the store:
a roll-up tells its moment before it looks, and who stamps asks for it once what was stamped is there. Either the
roll-up sees what was stamped, or its moment is seen, and the stamp is renewed. Where wall clocks jump or differ, that
costs a repetition, not a window. On replicas that lag it takes clocks that agree within half a margin, too.

After a clock was ahead and has been set back, this time stays ahead until the clock has caught up, over restarts, too.
Only distances and order matter, so that does no harm; when agents were last heard is then shown as too late.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from pivotscope_collector.clock import Clock
from pivotscope_collector.errors import StoreAwayError, StoreError
from pivotscope_collector.store.client import Client

_TOLD_IN = ("progress", "rolled")
_TRIES = 3


class StoreClock:
    """The store's wall clock, so that collectors that share a server agree, and this machine's monotonic clock."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def unix_ns(self) -> int:
        """Nanoseconds since 1970 by the store's clock. Raises StoreError."""
        now: int = self._client.query("store_now")["now_ns"][0]
        return now

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()


class Reception:
    """Unix microseconds that never go back: monotonic, and moved forward to where the store is when renewed.

    Safe to use from several threads.
    """

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._offset_us: int | None = None
        self._told: tuple[list[int | None], int] = ([], 0)

    def now_us(self) -> int:
        """Now. Asks the store the first time, and raises StoreError where that does not answer then."""
        if self._offset_us is None:
            self.renew()
        return self._elapsed_us() + (self._offset_us or 0)

    def renew(self) -> None:
        """Move forward to the store's clock, and to the last moment that any collector told. Raises StoreError."""
        self._forward(max(self._clock.unix_ns() // 1000, self._last_told()))

    def look(self, margin_us: int) -> int:
        """Tell the store that a roll-up looks now; returns the moment a margin ago. Raises StoreError.

        All that is stamped with this moment or an earlier one can be read from now on, or is about to be stamped anew.
        """
        self.renew()
        now = self.now_us()
        horizon = now - margin_us
        told = {"received_until": [horizon], "open_from": [0], "revision": [now]}
        self._client.insert("progress", {"level": ["look"], **told})
        return horizon

    def stamp(self, write: Callable[[int], None], margin_us: int) -> int:
        """Have something written with the moment of its reception; returns how often it took. Raises StoreError.

        Again, where time has moved on by more than half a margin once it is there, by the clock of any collector that
        looked. While the store does not say who looked, this one's clock goes on alone. A store that is too slow for
        that three times in a row is as good as away.
        """
        for times in range(1, _TRIES + 1):
            moment = self.now_us()
            write(moment)
            with suppress(StoreError):
                self._forward(self._last_told())
            if self.now_us() - moment <= margin_us // 2:
                return times
        raise StoreAwayError(f"{_TRIES} inserts in a row took longer than {margin_us / 2e6:g} s each")

    def _forward(self, to_us: int) -> None:
        with self._lock:
            ahead = to_us - self._elapsed_us()
            self._offset_us = ahead if self._offset_us is None else max(ahead, self._offset_us)

    def _last_told(self) -> int:
        """The last moment at which any collector looked or rolled up, asked only where that may have changed."""
        writes = [self._client.writes(table) for table in _TOLD_IN]
        if None in writes or writes != self._told[0]:
            self._told = writes, self._client.query("last_told")["last_us"][0]
        return self._told[1]

    def _elapsed_us(self) -> int:
        return int(self._clock.monotonic() * 1e6)
