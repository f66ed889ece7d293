import os
from collections.abc import Callable
from dataclasses import replace
from subprocess import Popen

import pytest
from pivotscope_agent import privileges
from pivotscope_agent.checks import State
from pivotscope_agent.privileges import CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, Privileges, judge_least, judge_tracing
from pivotscope_agent.targets.runtime_kind import Runtime
from pivotscope_agent.targets.target import Target

from tests.agent.conftest import target_of

PTRACE, SEARCH, NET_ADMIN = 1 << CAP_SYS_PTRACE, 1 << CAP_DAC_READ_SEARCH, 1 << 12
STATUS = "Name:\tx\nCapEff:\t{}\nCapAmb:\t0000000000000000\nThreads:\t1\n"


@pytest.mark.parametrize(
    ("own", "state", "part"),
    [
        (Privileges(1000), State.OK, "processes of user 1000 only"),
        (Privileges(0, PTRACE), State.OK, "processes of every user"),
        (Privileges(1000, PTRACE, PTRACE), State.OK, "processes of every user"),
        (Privileges(1000, PTRACE), State.MISSING, "samplers that it starts do not get it"),
        (Privileges(1000, yama_scope=1), State.MISSING, "ptrace_scope is 1"),
        (Privileges(1000, PTRACE, PTRACE, yama_scope=1), State.OK, "processes of every user"),
        (Privileges(1000, yama_scope=2), State.MISSING, "ptrace_scope is 2"),
        (Privileges(0, PTRACE, yama_scope=3), State.MISSING, "ptrace_scope is 3"),
    ],
)
def test_tracing(own: Privileges, state: State, part: str) -> None:
    check = judge_tracing(own)
    assert check.state is state
    assert part in check.found
    assert state is State.OK or check.fix


def test_a_seccomp_profile_is_told_from_a_capability() -> None:
    check = judge_tracing(Privileges(0, PTRACE), reads=False)
    assert check.state is State.MISSING
    assert "seccomp" in check.fix
    assert privileges.may_read_memory()


def test_capabilities_are_bits() -> None:
    assert privileges.capabilities(STATUS.format("0000000000080000"), "CapEff") == PTRACE
    assert privileges.capabilities(STATUS.format("0000000000080000"), "CapAmb") == 0
    assert privileges.capabilities("", "CapEff") == 0
    assert privileges.read().user == os.geteuid()


@pytest.mark.parametrize(
    ("own", "users", "state", "part"),
    [
        (Privileges(1000), frozenset({1000}), State.OK, "without capabilities"),
        (Privileges(1000, PTRACE, PTRACE), frozenset({1001, 1002}), State.OK, "1 capability, all of use"),
        (Privileges(1000, PTRACE | SEARCH), frozenset({1001, 1002}), State.OK, "2 capabilities, all of use"),
        (Privileges(0, PTRACE | NET_ADMIN), frozenset({0}), State.ADVICE, "2 capabilities"),
        (Privileges(0, PTRACE), frozenset({4_000_000}), State.ADVICE, "1 capability"),
        (Privileges(0, PTRACE, yama_scope=1), frozenset({4_000_000}), State.OK, "all of use"),
    ],
)
def test_more_than_is_needed_is_said(own: Privileges, users: frozenset[int], state: State, part: str) -> None:
    check = judge_least(own, users)
    assert (check.state, bool(check.fix)) == (state, state is State.ADVICE)
    assert part in check.found


def test_one_user_needs_no_capability() -> None:
    assert "run the agent as that user" in judge_least(Privileges(0, PTRACE), frozenset({4_000_000})).fix


def test_no_process_is_a_warning() -> None:
    assert privileges.judge_targets((), Privileges(0)).state is State.WARNING


@pytest.mark.python_target
def test_why_a_process_may_not_be_traced(
    busy_python: Callable[..., "Popen[str]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    target: Target = target_of(busy_python().pid)
    own = privileges.read()
    assert privileges.judge_targets((target,), own).state is State.OK
    assert privileges.users_of((target,)) == {own.user}
    odd = replace(target, runtime=Runtime(target.runtime.language, "PyPy", "", "PyPy is not supported"))
    check = privileges.judge_targets((target, odd), own)
    assert (check.state, check.found) == (State.WARNING, "1 of 2 cannot be sampled: PyPy is not supported")
    monkeypatch.setattr("pivotscope_agent.targets.procfs.may_attach", lambda _: False)
    check = privileges.judge_targets((target,), replace(own, user=4_000_000))
    assert check.state is State.MISSING
    assert "the agent as user 4000000" in check.found
    assert "CAP_SYS_PTRACE" in check.fix
    assert "ptrace_scope is 1" in privileges.judge_targets((target,), replace(own, yama_scope=1)).found
    assert "not dumpable" in privileges.judge_targets((target,), replace(own, yama_scope=0)).found
