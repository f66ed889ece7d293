"""What stands in the way of sampling is in the log once, in the status as long as it lasts, and counted each time."""

from collections.abc import Callable
from subprocess import Popen
from typing import Any

import pytest
from pivotscope.profile.window import Outcome
from pivotscope_agent.status import Reason, TargetState
from pivotscope_agent.telemetry.counters import Count

pytestmark = pytest.mark.python_target

Program = Callable[..., "Popen[str]"]
Labs = Callable[..., Any]


async def test_a_refused_attach_is_logged_once_and_counted_each_time(
    busy_python: Program, lab: Labs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pivotscope_agent.targets.procfs.may_attach", lambda _: False)
    monkeypatch.setattr("pivotscope_agent.obstacles.FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("pivotscope_agent.obstacles.LONGEST_PAUSE_S", 0.05)
    made = lab()
    loop = made.begin(busy_python().pid)
    await made.until(lambda: len(made.windows) >= 5)
    assert {window.outcome for window in made.windows} == {Outcome.ATTACH_DENIED}
    (record,) = [record for record in caplog.records if "attach_denied" in record.getMessage()]
    assert (record.__dict__["pid"], record.__dict__["reason"]) == (loop.target.process.pid, "attach_denied")
    assert (loop.status.state, loop.status.code) == (TargetState.ATTACH_DENIED, Reason.DENIED)
    assert made.shared.counters.get(Count.WINDOWS, ("attach_denied", "attach_denied")) >= 5
    monkeypatch.setattr("pivotscope_agent.targets.procfs.may_attach", lambda _: True)
    await made.until(lambda: loop.status.state is TargetState.SAMPLING)
    assert loop.status.sampler_cores > 0
    assert made.shared.counters.get(Count.SAMPLER_CPU) > 0
