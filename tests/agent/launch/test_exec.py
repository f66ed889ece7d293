"""`pivotscope-agent exec` as its callers see it: codes, signals, terminal and streams of the program, untouched."""

import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pivotscope_agent.targets import procfs

pytestmark = pytest.mark.e2e

AGENT = Path(sys.executable).parent / "pivotscope-agent"
DEADLINE_S = 30.0
PROGRAMS = Path(__file__).parent / "programs"
Exec = Callable[..., "subprocess.Popen[str]"]
HEARD = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
"""Signals that a test run in the background of a shell, or under nohup, is deaf to; programs are to hear them."""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Exec]:
    """Start a command under the agent, in a session of its own and with no collector; all of it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*command: str | Path, options: tuple[str, ...] = (), **others: object) -> "subprocess.Popen[str]":
        flags = ["--spool", str(tmp_path / "spool"), "--collector", "127.0.0.1:1", "--log-level", "error", *options]
        streams: dict[str, object] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(
            [AGENT, "exec", *flags, "--", *map(str, command)],
            text=True,
            preexec_fn=hear,  # noqa: PLW1509 - signals alone, no locks
            **(streams | {"start_new_session": True} | others),  # type: ignore[call-overload]
        )
        started.append(process)
        return process  # type: ignore[no-any-return]

    yield start
    for process in started:
        for pid in session_of(process.pid):
            os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def hear() -> None:
    """In a child, before its program."""
    for number in HEARD:
        signal.signal(number, signal.SIG_DFL)


def session_of(leader: int) -> list[int]:
    """Processes of a session."""
    return [pid for pid in procfs.pids() if session(pid) == leader]


def session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def line(process: "subprocess.Popen[str]") -> str:
    """The next line of its output; where it has ended, or says nothing for long, that and its errors are told."""
    assert process.stdout is not None
    said = process.stdout.readline() if select.select([process.stdout], [], [], DEADLINE_S)[0] else ""
    if not said:
        for pid in session_of(process.pid):
            os.kill(pid, signal.SIGKILL)
        output, errors = process.communicate()
        raise AssertionError(f"it says nothing, ended with {process.returncode}; {output!r}, errors: {errors}")
    return said.rstrip()


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("sh", "-c", "exit 7"), 7),
        (("sh", "-c", "kill -TERM $$"), -signal.SIGTERM),
        (("sh", "-c", "kill -SEGV $$"), -signal.SIGSEGV),
        (("no-such-program",), 127),
        (("/etc/passwd",), 126),
    ],
)
def test_it_ends_as_the_program_does(run: Exec, command: tuple[str, ...], status: int) -> None:
    process = run(*command)
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == status
    assert ("pivotscope-agent: " in errors) == (status in {126, 127}), errors


def test_streams_files_and_environment_are_the_programs(run: Exec, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("a file that the caller opened")
    with kept.open() as handle:
        script = f"env; ls /proc/self/fd; cat /dev/fd/{handle.fileno()}; echo; cat"
        process = run(
            *("sh", "-c", script),
            stdin=subprocess.PIPE,
            pass_fds=(handle.fileno(),),
            env={"PATH": os.environ["PATH"], "LISTEN_PID": "1", "A": "b"},
        )
        output, errors = process.communicate("input\n", timeout=DEADLINE_S)
        names, descriptors = set(), set()
        for text in output.splitlines():
            if "=" in text:
                names.add(text.partition("=")[0])
            elif text.isdigit():
                descriptors.add(int(text))
        assert names - {"PWD", "_", "SHLVL", "OLDPWD"} == {"PATH", "LISTEN_PID", "A"}
        # One more is ls reading the folder.
        assert {0, 1, 2, handle.fileno()} < descriptors
        assert len(descriptors) == 5
    assert output.endswith("a file that the caller opened\ninput\n")
    assert errors == ""


def test_each_signal_reaches_the_program_once(run: Exec) -> None:
    process = run(sys.executable, PROGRAMS / "signals.py")
    assert line(process).startswith("ready")
    for name in ("HUP", "USR1", "USR2", "WINCH", "QUIT", "INT", "ALRM", "CONT"):
        os.kill(process.pid, getattr(signal, f"SIG{name}"))
        assert line(process) == f"SIG{name}"
    # To all of the group, as terminals, `timeout` and shells send them; the agent must not send it again.
    for name in ("USR1", "INT"):
        os.killpg(process.pid, getattr(signal, f"SIG{name}"))
        assert line(process) == f"SIG{name}"
    os.kill(process.pid, signal.SIGTERM)
    assert line(process) == "SIGTERM"
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert (output, process.returncode) == ("", 3)


def test_the_program_is_stopped_and_continued(run: Exec) -> None:
    # A group that nobody in its session looks after is never stopped, so this one stays in ours.
    process = run("sh", "-c", "echo $$; exec sleep 60", start_new_session=False, process_group=0)
    program = int(line(process))
    os.kill(process.pid, signal.SIGTSTP)
    until(lambda: procfs.stat(program).state == "T", "the program is stopped")
    os.kill(process.pid, signal.SIGCONT)
    until(lambda: procfs.stat(program).state == "S", "the program goes on")
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(DEADLINE_S) == -signal.SIGTERM


def test_a_terminal_works_as_without_an_agent(tmp_path: Path) -> None:
    """Ctrl-Z stops the job, the shell continues it, Ctrl-C comes once, and reading the terminal is allowed."""
    pid, master = pty.fork()
    if pid == 0:
        command = [sys.executable, str(PROGRAMS / "shell.py"), str(AGENT), "exec", "--spool", str(tmp_path)]
        signals = [sys.executable, str(PROGRAMS / "signals.py")]
        hear()
        os.execv(  # noqa: S606 - no shell is wanted
            sys.executable, [*command, "--collector", "127.0.0.1:1", "--log-level", "error", "--", *signals]
        )
    said = ""

    def says(text: str) -> bool:
        nonlocal said
        if select.select([master], [], [], 0.0)[0]:
            try:
                said += os.read(master, 4096).decode()
            except OSError:
                return True
        return text in said

    try:
        until(lambda: says("ready, in the foreground"), "the program has started")
        os.write(master, b"\x1a")
        until(lambda: says("shell: stopped"), "the shell is told of the stop")
        until(lambda: says("shell: continued"), "the shell goes on with the job")
        os.write(master, b"\x03")
        until(lambda: says("SIGINT"), "the program is interrupted")
        os.write(master, b"a line\n")
        until(lambda: says("read: a line"), "the program reads the terminal")
        os.write(master, b"\x1c")
        until(lambda: says("SIGQUIT"), "the program is told to quit")
        os.write(master, b"end\n")
        until(lambda: says("shell: ended with 3"), "the job has ended")
        assert said.count("SIGINT") == said.count("SIGQUIT") == 1, said
    finally:
        for member in session_of(pid):
            os.kill(member, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(master)


def test_a_collector_that_does_not_answer_delays_nothing(run: Exec) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        process = run(
            *(sys.executable, "-c", "import time; time.sleep(1); print(time.monotonic())"),
            options=("--collector", f"127.0.0.1:{deaf.getsockname()[1]}"),
        )
        ended = float(line(process))
        assert process.wait(DEADLINE_S) == 0
        # Two seconds for sending what there is, and some for a slow machine; never the ten of the last resort.
        assert time.monotonic() - ended < 8.0


def test_the_program_outlives_an_agent_that_is_killed(run: Exec) -> None:
    process = run("sh", "-c", "echo $$; exec sleep 60")
    program = int(line(process))
    os.kill(process.pid, signal.SIGKILL)
    process.wait(DEADLINE_S)
    until(lambda: session_of(process.pid) == [program], "only the program is left")
    assert procfs.stat(program).state == "S"


def test_a_caller_in_a_hurry_is_not_kept_waiting(run: Exec) -> None:
    """A signal after the program's end ends the agent at once, still with the program's code."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        process = run(*("sh", "-c", "echo $$; exit 4"), options=("--collector", f"127.0.0.1:{deaf.getsockname()[1]}"))
        program = int(line(process))
        until(lambda: program not in procfs.pids() or procfs.stat(program).ended, "the program has ended")
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        assert process.returncode == 4
