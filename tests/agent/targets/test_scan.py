import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from pivotscope.profile.language import Language
from pivotscope_agent.targets.scan import Scanner
from pivotscope_agent.targets.selector import Labels, Selector
from pivotscope_agent.targets.target import Target

Start = Callable[..., "subprocess.Popen[str]"]
WAIT = "print('ready', flush=True); import sys; sys.stdin.read()"


def wait(start: Start, *command: str) -> "subprocess.Popen[str]":
    """A program that is ready and waits for its input to close."""
    return start(*(command or (sys.executable, "-c", WAIT)), stdin=subprocess.PIPE)


def end(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def scanner(pid: int, **labels: str) -> Scanner:
    return Scanner((Selector(pid=pid, labels=Labels(**labels)),), host="here", own_pid=-1)


def test_finds_a_process_once_and_sees_it_end(start: Start) -> None:
    process = wait(start)
    scan = scanner(process.pid, service="shop", variant="b")
    (target,) = scan.scan().found
    named = target.process
    assert (named.pid, named.service, named.variant, named.host, named.instance) == (
        process.pid,
        "shop",
        "b",
        "here",
        "here",
    )
    assert (named.language, named.runtime_version) == (Language.PYTHON, ".".join(map(str, sys.version_info[:3])))
    assert scan.processes() == (named,)
    assert scan.scan().found == ()
    end(process)
    assert scan.scan().ended == (target.key,)
    assert scan.targets == ()


def test_others_are_left_alone_with_a_reason(start: Start) -> None:
    python, cat = wait(start), wait(start, "/bin/sh", "-c", "echo ready; read x")
    scan = Scanner((Selector(pid=cat.pid),), own_pid=-1)
    assert scan.scan().found == ()
    reasons = {refusal.pid: refusal.reason for refusal in scan.refusals}
    assert reasons[python.pid] == "no selector matches"
    assert reasons[cat.pid] == "neither Python nor Ruby"


def test_the_agent_and_what_it_started_are_never_targets(start: Start) -> None:
    process = wait(start)
    scan = Scanner((Selector(cmdline=re.compile("")),))
    pids = {target.process.pid for target in scan.scan().found}
    assert process.pid not in pids
    assert scan.own_pid not in pids


def test_a_program_that_becomes_python_is_found_later(start: Start) -> None:
    """A shell script that execs keeps pid and start time; being no interpreter must not be remembered for good."""
    process = wait(start, "/bin/sh", "-c", f'echo ready; read x; exec "{sys.executable}" -c "$0"', WAIT)
    scan = scanner(process.pid)
    assert scan.scan().found == ()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ready\n"
    found: list[Target] = []
    for _ in range(4):
        found += scan.scan().found
    assert [target.process.pid for target in found] == [process.pid]


def test_forked_children_are_targets_of_their_own(start: Start) -> None:
    fork = (
        "import os, sys\n"
        "child = os.fork()\n"
        "if child:\n    print('ready', flush=True)\n"
        "sys.stdin.read()\n"
        "if child:\n    os.waitpid(child, 0)\n"
    )
    process = wait(start, sys.executable, "-c", fork)
    scan = Scanner((Selector(cmdline=re.compile("child = os.fork")),), own_pid=-1)
    found = scan.scan().found
    assert len(found) == 2
    assert process.pid in {target.process.pid for target in found}
    end(process)
    assert len(scan.scan().ended) == 2


def test_a_pid_that_came_back_is_another_process(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    process = wait(start)
    scan = scanner(process.pid)
    (target,) = scan.scan().found
    monkeypatch.setitem(scan._targets, process.pid, _earlier(target))
    changes = scan.scan()
    assert changes.ended == ((process.pid, target.start_ticks - 1),)
    assert changes.found == (target,)


def _earlier(target: Target) -> Target:
    return Target(target.process, target.start_ticks - 1, target.runtime, target.labels, target.working_folder)
