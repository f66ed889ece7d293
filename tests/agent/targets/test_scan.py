import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pivotscope.profile.language import Language
from pivotscope_agent.targets import procfs
from pivotscope_agent.targets.refusal import Why
from pivotscope_agent.targets.scan import Changes, Scanner
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


def test_a_program_that_executes_another_is_another_target(start: Start) -> None:
    """Pid and start stay; service, runtime and all that was learnt of the code do not."""
    becomes = (
        "import os, sys; print('ready', flush=True); sys.stdin.readline(); "
        f"os.execv('{sys.executable}', ['x.py', '-c', {WAIT!r}])"
    )
    process = wait(start, sys.executable, "-c", becomes)
    scan = scanner(process.pid)
    scan.since_ticks = 0
    (first,) = scan.scan().found
    assert first.newborn
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ready\n"
    changes = scan.scan()
    (second,) = changes.found
    assert changes.ended == (first.key,) == (second.key,)
    assert (first.labels.service, second.labels.service) == ("python", "x")
    assert not second.newborn
    assert scan.scan() == Changes()


def test_a_process_that_nobody_has_taken_note_of_has_ended(start: Start) -> None:
    process = wait(start)
    scan = scanner(process.pid)
    (target,) = scan.scan().found
    assert process.stdin is not None
    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert scan.scan().ended == (target.key,)
    assert scan.scan() == Changes()


def test_a_program_that_changes_late_is_found(start: Start) -> None:
    """A shell that execs after any number of scans: programs that were judged often are asked whether they changed."""
    process = wait(start, "/bin/sh", "-c", f'echo ready; read x; exec "{sys.executable}" -c "$0"', WAIT)
    scan = scanner(process.pid)
    for _ in range(100):
        assert scan.scan().found == ()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ready\n"
    assert any(scan.scan().found for _ in range(33))


def test_spawned_workers_belong_to_their_server(start: Start, tmp_path: Path) -> None:
    """As uvicorn starts its workers: new interpreters whose command names multiprocessing only."""
    server = tmp_path / "server.py"
    server.write_text(
        "import multiprocessing, sys\n"
        "def work(ready, over):\n    ready.release()\n    over.wait()\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('spawn')\n"
        "    ready, over = context.Semaphore(0), context.Event()\n"
        "    workers = [context.Process(target=work, args=(ready, over)) for _ in range(2)]\n"
        "    for worker in workers: worker.start()\n"
        "    for worker in workers: ready.acquire()\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
        "    over.set()\n"
        "    for worker in workers: worker.join()\n"
    )
    process = wait(start, sys.executable, str(server))
    scan = Scanner((Selector(cmdline=re.compile(re.escape(str(server)))),), host="here", own_pid=-1)
    found = scan.scan().found
    assert {target.process.service for target in found} == {"server"}
    assert len(found) == 3
    assert Why.HELPER in {refusal.why for refusal in scan.refusals}
    end(process)


def test_a_tree_is_a_process_and_all_that_it_starts(start: Start) -> None:
    child = f'{sys.executable} -c "{WAIT}"'
    process = wait(start, "/bin/sh", "-c", f"{child}; true")
    other = wait(start)
    scan = Scanner((Selector(tree=process.pid, labels=Labels(service="shop")),), own_pid=os.getpid())
    (target,) = scan.scan().found
    assert (procfs.stat(target.process.pid).parent, target.process.service) == (process.pid, "shop")
    whys = {refusal.pid: refusal.why for refusal in scan.refusals}
    assert (whys[process.pid], whys[other.pid]) == (Why.OTHER_PROGRAM, Why.OWN)
    end(process)
