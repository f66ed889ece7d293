from collections import Counter

import pytest
from pivotscope.profile.window import Mode, Outcome
from pivotscope_agent.status import Reason, TargetState, TargetStatus

from tests.agent.telemetry.conftest import SECOND, process, window


def test_a_target_is_what_its_newest_window_was() -> None:
    status = TargetStatus(process())
    assert status.state is TargetState.STARTING
    status.record(window(rate_hz=10, sampler_cpu_ns=SECOND // 10, stopped_ns=SECOND // 20))
    assert (status.state, status.rate_hz, status.mode) == (TargetState.SAMPLING, 10, Mode.GIL)
    assert status.sampler_cores == pytest.approx(0.01)
    assert status.stopped_ratio == pytest.approx(0.005)
    status.record(window(Outcome.SKIPPED, Mode.NONE, reason="CPU budget: left out"), Reason.CPU_BUDGET)
    assert (status.state, status.code, status.reason) == (
        TargetState.SKIPPED,
        Reason.CPU_BUDGET,
        "CPU budget: left out",
    )
    # Rate and mode stay those of the newest window with a sampler; what it cost fades.
    assert (status.rate_hz, status.mode) == (10, Mode.GIL)
    assert status.sampler_cores == pytest.approx(0.005)
    assert status.stopped_ratio == pytest.approx(0.0025)
    assert status.windows == Counter({Outcome.COMPLETE: 1, Outcome.SKIPPED: 1})
    assert status.sampler_cpu_ns == Counter({Mode.GIL: SECOND // 10})


def test_what_it_cost_long_ago_is_forgotten() -> None:
    status = TargetStatus(process())
    status.record(window(sampler_cpu_ns=10 * SECOND))
    for _ in range(60):
        status.record(window(sampler_cpu_ns=0))
    assert status.sampler_cores < 0.001


def test_only_what_is_new_is_a_change() -> None:
    status = TargetStatus(process())
    assert status.note(Outcome.ATTACH_DENIED, reason="the kernel does not let the agent trace it")
    assert not status.note(Outcome.ATTACH_DENIED, reason="the kernel does not let the agent trace it")
    assert status.code is Reason.DENIED
    assert status.note(Outcome.SKIPPED, Reason.HALTED, "the process is stopped")
    assert status.state is TargetState.HALTED


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_a_state(outcome: Outcome) -> None:
    status = TargetStatus(process())
    status.note(outcome)
    assert status.state is not TargetState.STARTING
