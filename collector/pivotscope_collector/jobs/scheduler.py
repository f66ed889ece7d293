"""What runs on a schedule, beside the event loop: the one place that knows the scheduler."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.errors import PivotscopeError

_LOG = logging.getLogger(__name__)


class Scheduler:
    """Runs jobs in threads. A job never overlaps itself, missed runs become one, a failure is logged and counted."""

    def __init__(self, counters: Counters, threads: int = 4) -> None:
        self._counters = counters
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(threads)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )

    def every(self, seconds: float, name: str, work: Callable[[], object]) -> None:
        """Run `work` now and every `seconds`."""
        self._scheduler.add_job(
            self._run, "interval", seconds=seconds, args=[name, work], id=name, next_run_time=datetime.now(UTC)
        )

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def close(self) -> None:
        """Start nothing more, and wait for what is running."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _run(self, name: str, work: Callable[[], object]) -> None:
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
