"""One report with a bit of everything."""

from collections.abc import Callable
from typing import Any

import pytest
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Outcome, Process, Usage, Window
from pivotscope_agent.status import GovernorStatus, Reason, TargetStatus
from pivotscope_agent.telemetry.report import Report, SpoolReport, StreamReport
from pivotscope_agent.telemetry.report import Usage as OwnUsage
from pivotscope_agent.telemetry.table import Count

SECOND = 1_000_000_000
NOW = 1_795_000_000 * SECOND

MakeReport = Callable[..., Report]


def process(pid: int = 7) -> Process:
    return Process("shop", "prod", "1.0", "", "web-1", "h", pid, NOW, Language.PYTHON, "3.11.7")


def window(outcome: Outcome = Outcome.COMPLETE, mode: Mode = Mode.GIL, **fields: Any) -> Window:
    values: dict[str, Any] = {"started_unix_ns": NOW, "duration_ns": 10 * SECOND, "usage": Usage(), **fields}
    return Window(process(), mode, outcome, **values)


def sampled(pid: int = 7) -> TargetStatus:
    status = TargetStatus(process(pid), "CPython 3.11.7", asked_hz=10)
    status.record(
        window(rate_hz=5, sampler_cpu_ns=SECOND // 10, stopped_ns=SECOND // 50, reason="CPU budget: 5 of 10 Hz"),
        Reason.CPU_BUDGET,
    )
    return status


def unsupported(pid: int = 8) -> TargetStatus:
    status = TargetStatus(process(pid), "PyPy")
    status.note(Outcome.UNSUPPORTED_RUNTIME, reason="PyPy is not supported")
    return status


@pytest.fixture
def report() -> MakeReport:
    def make(**fields: Any) -> Report:
        values: dict[str, Any] = {
            "sent_unix_ns": NOW,
            "started_unix_ns": NOW - 100 * SECOND,
            "version": "0.1.0",
            "stream": StreamReport("streaming", "", NOW - 60 * SECOND, NOW - 2 * SECOND, 3_000_000, 1),
            "governor": GovernorStatus(0.02, 0.01, 0.5, 0.005, "half"),
            "spool": SpoolReport(100, 2, 3.5, on_disk=True, max_bytes=1000),
            "usage": OwnUsage(4 * SECOND, 8 * SECOND, 48_000_000),
            "tools": {"py-spy": "0.4.3"},
            "counts": {
                (Count.RECORDS_SENT, ("",)): 5,
                (Count.WINDOWS, ("complete", "cpu_budget")): 1,
                (Count.RECORDS_DROPPED, ("spool_full",)): 12,
            },
            "targets": (sampled(), unsupported()),
            **fields,
        }
        return Report(**values)

    return make
