"""Agent, collector and programs as processes of their own, and the commands that people would use on them."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import grpc
from pivotscope.v1 import query_pb2, query_pb2_grpc

BIN = Path(sys.executable).parent
PROGRAMS = Path(__file__).parent / "programs"
DEADLINE_SECONDS = 60.0
_TAG = "PIVOTSCOPE_TEST_TAG"


@dataclass(frozen=True, slots=True)
class Running:
    """A process with its output in a file."""

    name: str
    process: "subprocess.Popen[str]"
    output: Path

    @property
    def pid(self) -> int:
        """Of the process; also of its group."""
        return self.process.pid

    @property
    def said(self) -> str:
        """What it has printed so far, on both streams."""
        return self.output.read_text("utf-8", "replace")

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 30.0) -> int:
        """Signal it and wait; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended, and what it printed."""

    status: int
    output: str
    errors: str

    @property
    def rows(self) -> Any:
        """The JSON document that it printed."""
        return json.loads(self.output)


class Stack:
    """Everything that one test starts. Leaving the block ends all of it, also what the started ones started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = ""
        self._tag = uuid.uuid4().hex
        self._started: list[Running] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for running in reversed(self._started):
            running.process.kill()
            running.process.communicate()
        for pid in self.alive():
            os.kill(pid, signal.SIGKILL)

    def start(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Running:
        """Start a program in a process group of its own."""
        output = self.folder / f"{name}-{len(self._started)}.log"
        with output.open("w") as sink:
            process = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=subprocess.STDOUT,
                text=True,
                env={**os.environ, **(environment or {}), _TAG: self._tag},
                start_new_session=True,
            )
        running = Running(name, process, output)
        self._started.append(running)
        return running

    def collector(
        self, *arguments: str | Path, listen: str = "127.0.0.1:0", environment: Mapping[str, str] | None = None
    ) -> Running:
        """Start a collector over `<folder>/data` and wait until it listens; `address` is where."""
        port_file = self.folder / f"port-{len(self._started)}"
        command: list[str | Path] = [
            BIN / "pivotscope",
            "collector",
            "serve",
            "--listen",
            listen,
            "--port-file",
            port_file,
        ]
        running = self.start("collector", [*command, "--data-dir", self.folder / "data", *arguments], environment)
        self.until(port_file.exists, running, what="the collector listens")
        self.address = f"127.0.0.1:{port_file.read_text('ascii').strip()}"
        return running

    @property
    def running(self) -> tuple[Running, ...]:
        """Everything that was started here, whether it has ended or not."""
        return tuple(self._started)

    def agent(
        self,
        config: str = "",
        *arguments: str | Path,
        collector: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> Running:
        """Start an agent that streams to the collector, with a spool in `<folder>/spool`; `config` is TOML."""
        file = self.folder / f"agent-{len(self._started)}.toml"
        file.write_text(config, "utf-8")
        command: list[str | Path] = [
            BIN / "pivotscope-agent",
            "run",
            "--config",
            file,
            "--collector",
            collector or self.address,
        ]
        return self.start("agent", [*command, "--spool", self.folder / "spool", *arguments], environment)

    def program(
        self, command: Sequence[str | Path], service: str, environment: Mapping[str, str] | None = None
    ) -> Running:
        """Start a program that agents know as `service`, and wait until it says `ready`."""
        running = self.start(service, command, {"OTEL_SERVICE_NAME": service, **(environment or {})})
        self.until(lambda: "ready\n" in running.said, running, what=f"{service} is ready")
        return running

    def cli(self, *arguments: str, collector: str = "", environment: Mapping[str, str] | None = None) -> Answer:
        """Run a `pivotscope` command to its end."""
        address = ["--collector", collector or self.address] if collector or self.address else []
        done = subprocess.run(
            [BIN / "pivotscope", *arguments, *address],
            check=False,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            env={**os.environ, **(environment or {})},
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def hotspots(self, service: str = "") -> query_pb2.ListHotspotsResponse:
        """What the collector tells of the last hour: all functions, with the CPU of every service."""
        request = query_pb2.ListHotspotsRequest(
            selection=query_pb2.Selection(service=service, since_unix_ns=time.time_ns() - 3_600 * 10**9),
            limit=1_000,
            libraries=True,
        )
        with grpc.insecure_channel(self.address) as channel:
            answer = query_pb2_grpc.QueryServiceStub(channel).ListHotspots(request, timeout=DEADLINE_SECONDS)
        if not isinstance(answer, query_pb2.ListHotspotsResponse):
            raise TypeError(answer)
        return answer

    def cpu(self, service: str) -> query_pb2.ServiceCpu:
        """What a service used as the collector tells it; nothing where it does not know the service."""
        try:
            return next((row for row in self.hotspots(service).services), query_pb2.ServiceCpu())
        except grpc.RpcError as error:
            if cast("grpc.Call", error).code() is grpc.StatusCode.NOT_FOUND:
                return query_pb2.ServiceCpu()
            raise

    def agents(self) -> list[query_pb2.Agent]:
        """The agents that the collector knows."""
        with grpc.insecure_channel(self.address) as channel:
            stub = query_pb2_grpc.QueryServiceStub(channel)
            answer = stub.ListAgents(query_pb2.ListAgentsRequest(), timeout=DEADLINE_SECONDS)
        return list(answer.agents)

    def until(
        self,
        condition: Callable[[], object],
        *alive: Running,
        what: str,
        seconds: float = DEADLINE_SECONDS,
    ) -> float:
        """Wait for a condition, asked twenty times a second; seconds it took. Those `alive` must not end meanwhile."""
        began = time.monotonic()
        while not condition():
            for running in alive:
                if running.process.poll() is not None:
                    raise AssertionError(f"{running.name} ended with {running.process.returncode}: {running.said}")
            if time.monotonic() - began > seconds:
                logs = "\n".join(f"--- {running.name}\n{running.said}" for running in self._started)
                raise AssertionError(f"waited {seconds:.0f} s in vain until {what}\n{logs}")
            time.sleep(0.05)
        return time.monotonic() - began

    def alive(self) -> list[int]:
        """Pids of everything that was started here, or by what was started here, and has not ended."""
        wanted = f"{_TAG}={self._tag}".encode()
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    if wanted in (folder / "environ").read_bytes().split(b"\0"):
                        found.append(int(folder.name))
                except OSError:
                    continue
        return found


def children(pid: int, program: str) -> list[int]:
    """Pids of the children of a process that run a program of that name."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            pids = (task / "children").read_text("ascii").split()
        except OSError:  # the thread ended while it was looked at
            continue
        for child in pids:
            try:
                name = Path(f"/proc/{child}/comm").read_text("ascii").strip()
            except OSError:
                continue
            if name == program:
                found.append(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """CPU of a process since its start, user and system, as the scheduler counts it (utime and stime: to the tick)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reaped_cpu_seconds(pid: int) -> float:
    """CPU of the children that a process has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
