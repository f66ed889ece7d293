from pathlib import Path

import pytest
from pivotscope.profile.window import Mode, Outcome
from pivotscope_agent.samplers.pyspy import PySpy
from pivotscope_agent.samplers.sampler import Ending, Request

PROGRAM = Path("/opt/py-spy")
DONE = "py-spy> Wrote raw flamegraph data to 'x'. Samples: 14 Errors: 2\n"


def request(mode: Mode = Mode.GIL) -> Request:
    return Request(pid=7, mode=mode, rate_hz=10, seconds=3, output=Path("/run/x"))


def ending(log: str, stacks: str | None = "a (a.py:1) 14\n", **fields: object) -> Ending:
    return Ending(**({"status": 0, "log": log, "stacks": stacks, "elapsed_ns": 1, "cpu_ns": 2} | fields))  # type: ignore[arg-type]


def test_command() -> None:
    assert PySpy(PROGRAM).command(request()) == [
        "/opt/py-spy", "record", "--pid", "7", "--format", "raw", "--rate", "10", "--duration", "3",
        "--output", "/run/x", "--full-filenames", "--gil",
    ]  # fmt: skip


def test_modes() -> None:
    assert "--gil" not in PySpy(PROGRAM).command(request(Mode.ACTIVE))
    assert "--native" in PySpy(PROGRAM).command(request(Mode.NATIVE))


def test_native_stacks_need_a_stopped_process() -> None:
    sampler = PySpy(PROGRAM, nonblocking=True)
    assert "--nonblocking" in sampler.command(request(Mode.ACTIVE))
    assert "--nonblocking" not in sampler.command(request(Mode.NATIVE))


def test_rate_stays_as_asked() -> None:
    assert [PySpy(PROGRAM).rate(10, window) for window in range(4)] == [10] * 4


def test_a_window_that_ran_to_its_end_looked_rate_times_seconds_times() -> None:
    verdict = PySpy(PROGRAM).judge(request(), ending("1.2s behind in sampling, results…\n" + DONE))
    assert (verdict.outcome, verdict.ticks, verdict.late, verdict.errors) == (Outcome.COMPLETE, 30, 1, 2)
    assert verdict.stacks == "a (a.py:1) 14\n"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("py-spy> Stopped sampling because process exited\n", "the process ended in this window"),
        ("py-spy> Stopped sampling because Control-C pressed\n", "ended early"),
    ],
)
def test_a_window_that_ended_early_does_not_tell_its_ticks(said: str, reason: str) -> None:
    verdict = PySpy(PROGRAM).judge(request(), ending(said + DONE))
    assert (verdict.outcome, verdict.ticks, verdict.reason) == (Outcome.COMPLETE, 0, reason)


@pytest.mark.parametrize(
    ("log", "outcome"),
    [
        ("Permission Denied: Try running again with elevated permissions", Outcome.ATTACH_DENIED),
        ("Error: Failed to find python version from target process", Outcome.UNSUPPORTED_RUNTIME),
        ("Error: Failed to get process executable name.\n  0: No such file or directory", Outcome.TARGET_EXITED),
        ("Error: something new", Outcome.SAMPLER_FAILED),
        ("", Outcome.SAMPLER_FAILED),
    ],
)
def test_failures_have_a_type(log: str, outcome: Outcome) -> None:
    verdict = PySpy(PROGRAM).judge(request(), ending(log, None, status=1))
    assert (verdict.outcome, verdict.stacks, verdict.ticks) == (outcome, "", 0)
    assert verdict.reason


def test_a_failure_is_told_in_the_tools_own_words() -> None:
    verdict = PySpy(PROGRAM).judge(request(), ending("noise\nError: something new\n", None, status=1))
    assert verdict.reason == "Error: something new"


def test_killed_by_us_or_by_others() -> None:
    ours = PySpy(PROGRAM).judge(request(), ending("", None, status=-9, killed=True))
    others = PySpy(PROGRAM).judge(request(), ending("", None, status=-9))
    assert ours.outcome is others.outcome is Outcome.SAMPLER_KILLED
    assert "was ended by signal 9" in others.reason


def test_no_summary_is_no_window() -> None:
    assert PySpy(PROGRAM).judge(request(), ending("nothing of note")).outcome is Outcome.SAMPLER_FAILED
