"""Up to which CPU time each process is accounted for, so that no end of the agent loses CPU or counts it twice.

An account is raised when a record with windows of the process cannot be lost any more: it is on disk, or it is
acknowledged. What a killed agent had not come that far with, and what the process used while no agent ran, is what its
account lacks: the first window of the next run carries it as gap. CPU of records that a full spool drops is owed to
the next window of the process in the same way.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from pivotscope.profile.window import Process, Window
from pivotscope.v1 import agent_pb2 as pb

from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.pipeline.encode import Item
from pivotscope_agent.pipeline.notes import Entry
from pivotscope_agent.targets import procfs

Key = tuple[int, int]
"""Pid and start in ticks since boot."""

_MOST_NS = 10**15
"""CPU that one window may carry for others, 11 days: the collector refuses absurd values, and they would come back."""


class Ledger:
    """Accounts by process, in nanoseconds of CPU since the process began. Safe to use from several threads."""

    def __init__(self, accounts: Mapping[Key, int] | None = None) -> None:
        self._lock = threading.Lock()
        self._accounts = dict(accounts or {})
        self._keys: dict[tuple[int, int], Key] = {}
        self._begun: dict[Key, int] = {}
        self._left: dict[Key, int] = {}
        self._owed: Counter[Key] = Counter()

    def begin(self, process: Process, start_ticks: int, cpu_ns: int) -> int:
        """The CPU time from which the windows of a process are to account for it; at most `cpu_ns`, what it has now.

        That of a process that no run before this one saw is `cpu_ns`.
        """
        key = (process.pid, start_ticks)
        with self._lock:
            if key in self._begun:
                start = min(self._left.get(key, cpu_ns), cpu_ns)
            else:
                start = self._accounts[key] = min(self._accounts.get(key, cpu_ns), cpu_ns)
                self._begun[key] = start
            self._keys[process.pid, process.started_unix_ns] = key
        return start

    def leave(self, process: Process, cpu_ns: int) -> None:
        """The windows of a process account for this CPU time, and no others follow for now."""
        with self._lock:
            key = self._keys.get((process.pid, process.started_unix_ns))
            if key is not None:
                self._left[key] = cpu_ns

    def settle(self, items: Iterable[Item]) -> list[Item]:
        """The same items; windows carry what is owed to their processes."""
        return [self._settled(item) if isinstance(item, Window) else item for item in items]

    def entries(self, definitions: pb.Definitions, batch: pb.Batch) -> tuple[Entry, ...]:
        """CPU of a record's windows by process, of the processes known here."""
        with self._lock:
            keys = {one.id: self._keys.get((one.pid, one.started_unix_ns)) for one in definitions.processes}
            totals: Counter[Key] = Counter()
            for window in batch.windows:
                key = keys.get(window.process)
                if key is not None:
                    totals[key] += window.usage.cpu_user_ns + window.usage.cpu_system_ns + window.gap_cpu_ns
            return tuple(Entry(*key, self._begun[key], cpu_ns) for key, cpu_ns in totals.items())

    def book(self, entries: Iterable[Entry]) -> None:
        """A record can no longer be lost."""
        with self._lock:
            for entry in entries:
                if entry.key in self._accounts:
                    self._accounts[entry.key] += entry.cpu_ns

    def give_back(self, entries: Iterable[Entry], *, booked: bool) -> None:
        """A record was dropped and surely not sent: its CPU is owed to the next windows. `booked`: it was on disk."""
        with self._lock:
            for entry in entries:
                if entry.key in self._begun:
                    self._owed[entry.key] += entry.cpu_ns
                if booked and entry.key in self._accounts:
                    self._accounts[entry.key] -= entry.cpu_ns

    def owe(self, windows: Iterable[Item]) -> None:
        """Windows were given up before they became a record: their CPU is owed to the next ones."""
        with self._lock:
            for window in windows:
                if isinstance(window, Window) and (key := self._key(window)) is not None:
                    self._owed[key] += window.usage.cpu_user_ns + window.usage.cpu_system_ns + window.gap_cpu_ns

    def accounts(self) -> dict[Key, int]:
        """All accounts at this moment."""
        with self._lock:
            return dict(self._accounts)

    def prune(self, lives: Callable[[Key], bool]) -> None:
        """Close the accounts of processes that have ended."""
        for key in [key for key in self.accounts() if not lives(key)]:
            with self._lock:
                self._accounts.pop(key, None)
                self._owed.pop(key, None)

    def _settled(self, window: Window) -> Window:
        with self._lock:
            key = self._key(window)
            owed = min(self._owed.get(key, 0), _MOST_NS) if key is not None else 0
            if key is None or owed <= 0:
                return window
            self._owed[key] -= owed
        return replace(window, gap_cpu_ns=window.gap_cpu_ns + owed)

    def _key(self, window: Window) -> Key | None:
        return self._keys.get((window.process.pid, window.process.started_unix_ns))


def recover(accounts: Mapping[Key, int], entries: Iterable[Entry]) -> dict[Key, int]:
    """Accounts as a run before saved them, raised by the records that it spooled afterwards, in order."""
    found = dict(accounts)
    for entry in entries:
        found[entry.key] = found.get(entry.key, entry.before_ns) + entry.cpu_ns
    return found


def lives(key: Key) -> bool:
    """Whether a process, by pid and start, runs on this host; one that cannot be looked at may."""
    try:
        return procfs.stat(key[0]).start_ticks == key[1]
    except ProcessGoneError:
        return False
    except OSError:
        return True
