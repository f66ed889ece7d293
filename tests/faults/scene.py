"""Programs, agent, network, recorder and collector of one run, and what can happen to them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Self

from pivotscope_agent.errors import ProcessGoneError
from pivotscope_agent.pipeline import state as states
from pivotscope_agent.pipeline.files import Files
from pivotscope_agent.targets import procfs

from tests.e2e.stack import Running, Stack
from tests.e2e.test_whole_path import QUICK, free_address
from tests.faults.network import Network, Wire
from tests.faults.recorder import Recorder

PROGRAMS = Path(__file__).parent / "programs"
SAMPLERS = ("py-spy", "rbspy")
SPOOL_DISK = "24m"
SETTLE_S = 3.0
"""How long after the death of an agent its samplers may still be seen: the kernel ends them one by one."""
CONFIG = f"""{QUICK}
[spool]
max_bytes = 16777216
memory_bytes = 1048576
[[select]]
env = "OTEL_SERVICE_NAME"
cmdline = "worker[.](py|rb)"
"""


@dataclass
class Worker:
    """A program that is watched. CPU in nanoseconds, by its own clock, at the edges of the run."""

    running: Running
    before_ns: int = 0
    after_ns: int = 0

    @property
    def pid(self) -> int:
        """Of the program."""
        return self.running.pid

    def tell(self, word: str) -> None:
        """Have it work, work with wide stacks, or rest."""
        pipe = self.running.process.stdin
        if pipe is not None:
            pipe.write(f"{word}\n")
            pipe.flush()


@dataclass
class Sights:
    """What was seen after each end of an agent."""

    samplers_left: int = 0
    stopped: int = 0
    ends: list[float] = field(default_factory=list)
    agent_kills: int = 0
    sampling: int = 0
    collector_kills: int = 0


class Scene:
    """Use as a context; the network is up, the collector listens, the programs rest, no agent runs yet."""

    def __init__(self, folder: Path, seed: int, *, ruby: bool, disk: bool) -> None:
        self.stack = Stack(folder)
        # One for each thread that draws, so that each draws the same in every run.
        self.random, self.chance = Random(seed), Random(seed + 1)
        self.sights = Sights()
        self.workers: list[Worker] = []
        self.disk = disk
        self._ruby = ruby
        self._address = free_address()
        host, _, port = self._address.rpartition(":")
        self.recorder = Recorder(f"{host}:{port}")
        self._collector: Running | None = None
        self._agent: Running | None = None
        self._network: Network | None = None
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        folder = self.stack.folder
        if self.disk:
            self._exit.enter_context(_mounted(folder / "spool"))
        self._exit.enter_context(self.stack)
        self._exit.enter_context(self.recorder)
        self._network = self._exit.enter_context(Network(("127.0.0.1", self.recorder.port)))
        self.start_collector()
        commands: dict[str, list[str | Path]] = {
            "wide": [sys.executable, PROGRAMS / "worker.py"],
            "plain": [sys.executable, PROGRAMS / "worker.py"],
        }
        if self._ruby:
            commands["ruby"] = ["ruby", PROGRAMS / "worker.rb"]
        self.workers = [Worker(self.stack.program(command, name)) for name, command in commands.items()]
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    @property
    def network(self) -> Network:
        """Between agent and recorder."""
        if self._network is None:
            raise RuntimeError("outside the context")
        return self._network

    @property
    def agent(self) -> Running:
        """The agent that runs, or ran last."""
        if self._agent is None:
            raise RuntimeError("no agent was started")
        return self._agent

    @property
    def spool(self) -> Path:
        """The agent's folder."""
        return self.stack.folder / "spool"

    def state(self) -> states.SpoolState:
        """The spool's state as it is on the disk."""
        found = states.load(self.spool, Files())
        if found is None:
            raise AssertionError("the spool has no state")
        return found

    @property
    def settled(self) -> bool:
        """Whether the newest batch that the recorder saw is acknowledged."""
        seen, state = self.recorder.seen, self.state()
        newest = max((sequence for epoch, sequence in seen.windows if epoch == state.epoch), default=0)
        return 0 < newest <= seen.acknowledged.get(state.epoch, 0)

    def start_agent(self) -> None:
        """Start an agent on the spool of the one before."""
        self._agent = self.stack.agent(CONFIG, "--print", collector=self.network.address)

    def start_collector(self) -> None:
        """Start a collector on the data of the one before."""
        self._collector = self.stack.collector(listen=self._address)

    def kill_agent(self, within_s: float, *, sampling: bool = False) -> None:
        """SIGKILL at a random moment of its next seconds, or of those after it samples; then look at what it leaves."""
        if sampling:
            self.stack.until(lambda: _samplers(self), self.agent, what="the agent samples")
        time.sleep(self.random.uniform(0.0, within_s))
        self.sights.sampling += bool(_samplers(self))
        self._kill(self.agent)
        self.sights.agent_kills += 1
        self.look_around()

    def look_around(self) -> None:
        """Count samplers that are left, and programs that stand still, once both had time to go."""
        deadline = time.monotonic() + SETTLE_S
        while (_samplers(self) or self._stopped()) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.sights.samplers_left += len(_samplers(self))
        self.sights.stopped += self._stopped()

    def kill_collector(self, within_s: float) -> None:
        """SIGKILL at a random moment of the seconds after it stored something; a new one takes its place."""
        before = self._told()
        self.stack.until(lambda: self._told() > before, what="something more is acknowledged")
        time.sleep(self.chance.uniform(0.0, within_s))
        if self._collector is not None:
            self._kill(self._collector)
        self.sights.collector_kills += 1
        self.start_collector()

    def stop_agent(self) -> int:
        """SIGTERM; its status."""
        began = time.monotonic()
        status = self.agent.stop(signal.SIGTERM, 40.0)
        self.sights.ends.append(time.monotonic() - began)
        self.look_around()
        return status

    def stop_collector(self) -> None:
        """SIGTERM."""
        if self._collector is not None:
            self._collector.stop(signal.SIGTERM, 60.0)

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Nothing more fits on the spool's disk."""
        ballast = self.spool / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while True:
                        file.write(b"\0" * size)
        try:
            yield
        finally:
            ballast.unlink()

    @contextmanager
    def side_by_side(self, work: Callable[[], None]) -> Iterator[None]:
        """Do something else while this happens; its failure is one of the run."""
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(work)
            yield
            done.result()

    def _told(self) -> int:
        return sum(self.recorder.seen.acknowledged.values())

    def _kill(self, running: Running) -> None:
        running.process.kill()
        running.process.wait(20.0)

    def _stopped(self) -> int:
        count = 0
        for worker in self.workers:
            with suppress(ProcessGoneError):
                count += procfs.stat(worker.pid).state in "tT"
        return count


def _samplers(scene: Scene) -> list[int]:
    """Samplers that look at the scene's programs, whoever started them."""
    wanted = {str(worker.pid) for worker in scene.workers}
    found = []
    for pid in procfs.pids():
        with suppress(ProcessGoneError, PermissionError):
            if procfs.stat(pid).name in SAMPLERS and procfs.stat(pid).state not in "ZX":
                found += [pid] * bool(wanted & set(procfs.cmdline(pid)))
    return found


@contextmanager
def _mounted(folder: Path) -> Iterator[None]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SPOOL_DISK},mode=700", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def why_no_small_disk() -> str:
    """Why a file system of a few megabytes cannot be made here; empty where it can."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return "only root can mount a small disk"
    try:
        probe = subprocess.run(
            ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True
        )
    except OSError as problem:
        return str(problem)
    return "" if probe.returncode == 0 else "this container may not mount"


__all__ = ["Scene", "Sights", "Wire", "Worker", "why_no_small_disk"]
