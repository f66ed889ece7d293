from dataclasses import replace
from pathlib import Path

import pytest
from pivotscope.profile.window import Mode, Outcome
from pivotscope_agent.samplers.rbspy import RbSpy
from pivotscope_agent.samplers.sampler import Ending, Request

PROGRAM = Path("/opt/rbspy")
REQUEST = Request(pid=7, mode=Mode.ACTIVE, rate_hz=11, seconds=3, output=Path("/run/x"))
DONE = "Wrote raw data to /dev/null\nWrote formatted output to /run/x\n"
STACKS = "<main> - a.rb:1 3\n"


def ending(log: str, stacks: str | None = STACKS, **fields: object) -> Ending:
    return Ending(**({"status": 0, "log": log, "stacks": stacks, "elapsed_ns": 1, "cpu_ns": 2} | fields))  # type: ignore[arg-type]


def test_command() -> None:
    assert RbSpy(PROGRAM).command(replace(REQUEST, mode=Mode.GIL)) == [
        "/opt/rbspy", "record", "--pid", "7", "--format", "collapsed", "--rate", "11", "--duration", "3",
        "--file", "/run/x", "--raw-file", "/dev/null", "--on-cpu", "--silent",
    ]  # fmt: skip
    assert "--on-cpu" not in RbSpy(PROGRAM).command(REQUEST)
    assert RbSpy(PROGRAM, nonblocking=True).command(REQUEST)[-1] == "--nonblocking"


def test_rate_varies_around_what_was_asked_for() -> None:
    rates = [RbSpy(PROGRAM).rate(100, window) for window in range(8)]
    assert len(set(rates)) > 4
    assert abs(sum(rates) / 8 - 100) < 5
    assert min(RbSpy(PROGRAM).rate(1, window) for window in range(8)) == 1


def test_a_whole_window_looked_at_its_rate() -> None:
    verdict = RbSpy(PROGRAM).judge(REQUEST, ending("Dropped 2/41 stack traces because of errors.\n" + DONE))
    assert (verdict.outcome, verdict.ticks, verdict.errors, verdict.stacks) == (Outcome.COMPLETE, 33, 2, STACKS)


def test_samples_of_a_process_that_ended_are_kept() -> None:
    log = f"Dropped 21/41 stack traces because of errors.\n{DONE}Something went wrong\n- No such file or directory\n"
    verdict = RbSpy(PROGRAM).judge(REQUEST, ending(log, status=1))
    assert (verdict.outcome, verdict.errors, verdict.reason) == (
        Outcome.COMPLETE,
        0,
        "the process ended in this window",
    )


@pytest.mark.parametrize(
    ("log", "outcome"),
    [
        ("Permission Denied: Try running again with elevated permissions", Outcome.ATTACH_DENIED),
        ("- Couldn't get ruby version: Failed to locate Ruby version symbol", Outcome.UNSUPPORTED_RUNTIME),
        ("rbspy doesn't support Ruby 9.9.9 yet", Outcome.UNSUPPORTED_RUNTIME),
        ("- Check that the process is running.", Outcome.TARGET_EXITED),
        ("Something went wrong\n- a new thing", Outcome.SAMPLER_FAILED),
    ],
)
def test_failures_have_a_type(log: str, outcome: Outcome) -> None:
    # rbspy writes an empty output even when it could not attach.
    assert RbSpy(PROGRAM).judge(REQUEST, ending(DONE + log, "", status=1)).outcome is outcome


def test_killed() -> None:
    assert RbSpy(PROGRAM).judge(REQUEST, ending("", None, status=-9)).outcome is Outcome.SAMPLER_KILLED
