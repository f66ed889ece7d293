"""How long the threads of a process waited for a processor in the midst of their work."""

from contextlib import suppress
from dataclasses import dataclass

from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.targets import procfs

MOST_THREADS = 200
"""Threads that are read; the oldest are. What the others waited is left out: a reading costs microseconds a thread."""
WORTH_NS = 1_000_000
"""Waits that are worth a look at the longer file; less stays in the account until it adds up."""


@dataclass(frozen=True, slots=True)
class _Account:
    """Counters of a thread as they were booked last."""

    wait_ns: int = 0
    runs: int = 0
    preemptions: int = 0


class Waiting:
    """Run-queue delay of preempted threads, cumulative since the first `read`.

    The kernel adds up all waits of a thread. Those after a preemption stretch the work that samples see, under a lock
    or not; those after a sleep (for a request, for the interpreter lock, for a sampler that stops every thread) come
    before it, and no lock is held in them. How often a thread was preempted tells the two apart.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._accounts: dict[int, _Account] = {}
        self._listed: frozenset[int] | None = None
        self._total_ns = 0

    def read(self) -> int:
        """Nanoseconds so far. Never goes back: threads that ended keep what was seen of them; 0 without schedstats."""
        threads = procfs.thread_ids(self._pid)
        if not threads:
            return self._total_ns
        accounts = {}
        for thread in threads[:MOST_THREADS]:
            with suppress(ProcessGoneError, PermissionError):
                accounts[thread] = self._book(thread)
        self._accounts, self._listed = accounts, frozenset(threads)
        return self._total_ns

    def _book(self, thread: int) -> _Account:
        wait_ns, runs = procfs.waits(self._pid, thread)
        known = self._accounts.get(thread)
        if known is None and (self._listed is None or thread in self._listed):
            return _Account(wait_ns, runs, procfs.preemptions(self._pid, thread))
        # Ids come back: counters that fell are those of a new thread.
        last = known if known is not None and known.wait_ns <= wait_ns and known.runs <= runs else _Account()
        if wait_ns - last.wait_ns < WORTH_NS:
            return last
        now = _Account(wait_ns, runs, procfs.preemptions(self._pid, thread))
        self._total_ns += preempted_ns(now.wait_ns - last.wait_ns, runs - last.runs, now.preemptions - last.preemptions)
        return now


def preempted_ns(wait_ns: int, runs: int, preemptions: int) -> int:
    """The part of a thread's wait that follows preemptions, where its other runs waited half as long each.

    Half, for the scheduler lets a thread that slept go before those that used up their slice. 0 for a thread that was
    preempted before less than half of its runs: one that hands the interpreter lock on is preempted by the thread that
    it wakes, without the lock, and then its waits say nothing about work under it.
    """
    preemptions = min(preemptions, runs)
    return wait_ns * 2 * preemptions // (preemptions + runs) if runs > 0 and 2 * preemptions >= runs else 0
