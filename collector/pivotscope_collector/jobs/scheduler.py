"""What runs on a schedule, beside the event loop: the one place that knows the scheduler."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.errors import PivotscopeError

_LOG = logging.getLogger(__name__)


class Scheduler:
    """Runs jobs in a thread, one at a time: two at once would leave little to what comes in.

    Missed runs of a job become one; a failure is logged and counted.
    Work that takes longer than its `share` of the clock is left out until it no longer does: what is computed anew over
    a growing store must not take the processor from what comes in.
    """

    def __init__(self, counters: Counters, now: Callable[[], float] = time.monotonic) -> None:
        self._counters = counters
        self._now = now
        self._not_before: dict[str, float] = {}
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )

    def every(self, seconds: float, name: str, work: Callable[[], object], *, share: float = 1.0) -> None:
        """Run `work` now and every `seconds`, or as seldom as it takes to keep to its share of the clock."""
        self._scheduler.add_job(
            self.run, "interval", seconds=seconds, args=[name, work, share], id=name, next_run_time=datetime.now(UTC)
        )

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def close(self) -> None:
        """Start nothing more, and wait for what is running."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def run(self, name: str, work: Callable[[], object], share: float = 1.0) -> None:
        """Run it here and now, unless its share is used up."""
        began = self._now()
        if began < self._not_before.get(name, began):
            return
        try:
            work()
        except PivotscopeError as error:
            self._counters.add(Count.JOB_FAILURES, label=name)
            _LOG.error("%s: %s", name, error)
        except Exception:  # noqa: BLE001 - a job that fails, however, must not end the others
            self._counters.add(Count.JOB_FAILURES, label=name)
            _LOG.exception("%s failed; it runs again when it is due", name)
        else:
            self._counters.add(Count.JOB_RUNS, label=name)
        finally:
            self._not_before[name] = began + (self._now() - began) / share
