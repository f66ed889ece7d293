from pathlib import Path

import pytest
from pivotscope_agent import checks
from pivotscope_agent.checks import State

STATUS = "Name:\tx\nCapEff:\t{}\nThreads:\t1\n"


@pytest.mark.parametrize(
    ("scope", "capable", "state"),
    [
        (0, True, State.OK),
        (0, False, State.OK),
        (1, True, State.OK),
        (1, False, State.MISSING),
        (2, False, State.MISSING),
        (3, True, State.MISSING),
    ],
)
def test_tracing(scope: int, capable: bool, state: State) -> None:  # noqa: FBT001 - a table of cases
    check = checks.judge_tracing(scope, capable=capable, user=1000)
    assert check.state is state
    assert state is State.OK or check.fix


def test_capabilities_are_bits() -> None:
    assert checks.has_capability(checks.CAP_SYS_PTRACE, STATUS.format("0000000000080000"))
    assert not checks.has_capability(checks.CAP_SYS_PTRACE, STATUS.format("0000000000040000"))
    assert not checks.has_capability(checks.CAP_SYS_PTRACE, "")


def test_spool(tmp_path: Path) -> None:
    assert checks.check_spool(tmp_path / "a" / "b").state is State.OK
    (tmp_path / "file").write_text("")
    check = checks.check_spool(tmp_path / "file")
    assert check.state is State.MISSING
    assert "PIVOTSCOPE_SPOOL" in check.fix


def test_a_program_that_is_missing_matters_where_it_is_needed() -> None:
    assert checks.check_program("rbspy", "/nowhere/rbspy", needed=True).state is State.MISSING
    check = checks.check_program("rbspy", "/nowhere/rbspy", needed=False)
    assert check.state is State.WARNING
    assert "cargo install rbspy" in check.fix


def test_a_program_that_starts(tmp_path: Path) -> None:
    program = tmp_path / "py-spy"
    program.write_text("#!/bin/sh\necho py-spy 1.2.3\n")
    program.chmod(0o755)
    check = checks.check_program("py-spy", str(program), needed=True)
    assert (check.state, check.found) == (State.OK, f"py-spy 1.2.3 at {program}")
    program.write_text("#!/bin/sh\nexit 3\n")
    assert "status 3" in checks.check_program("py-spy", str(program), needed=True).found


def test_clock_and_targets_are_said() -> None:
    assert checks.check_clock().found
    assert checks.check_targets(()).state is State.WARNING
