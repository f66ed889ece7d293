"""One run through every fault, from a first window to the last record."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pivotscope_agent.targets import procfs

from tests.e2e.test_whole_path import printed
from tests.faults.claims import Claim, judge
from tests.faults.network import Wire
from tests.faults.scene import Scene, why_no_small_disk

AGENT_LIFE_S = 2.0
COLLECTOR_LIFE_S = 1.0
STALL_S = 4.0
CUT_AFTER_BYTES = 3_000
"""In the midst of a batch: the first windows of a stream take more."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Script:
    """How often agent and collector are killed, and how long the network is down, in seconds."""

    kills: int = 3
    partition: float = 10.0
    seed: int = 7
    ruby: bool = True


def run(script: Script, folder: Path, say: Say) -> list[Claim]:
    """Play it, and judge what is left."""
    reason = why_no_small_disk()
    if reason:
        say(f"the disk is not filled: {reason}")
    with Scene(folder, script.seed, ruby=script.ruby, disk=not reason) as scene:
        _begin(scene)
        say(f"{script.kills} kills of the agent, {script.kills} of the collector")
        _kills(scene, script.kills)
        say(f"a partition of {script.partition:g} s")
        _partition(scene, script.partition, say)
        say("the network is back; waiting until everything has arrived")
        status = _finish(scene)
        scene.stop_collector()
        return judge(scene, status)


def _begin(scene: Scene) -> None:
    """Let an agent see every program at rest, so that its account begins where the run's does."""
    for worker in scene.workers:
        worker.before_ns = procfs.cpu_ns(worker.pid)
    scene.start_agent()
    _until_idle_window(scene)
    for worker in scene.workers:
        worker.tell("work")
    scene.stack.until(lambda: printed(scene.agent)[1], scene.agent, what="there are samples")


def _kills(scene: Scene, count: int) -> None:
    """Agent and collector die independently of each other; in between a batch is cut in two."""

    def kill_collectors() -> None:
        for _ in range(count):
            scene.kill_collector(COLLECTOR_LIFE_S)

    with scene.side_by_side(kill_collectors):
        for number in range(count):
            scene.network.cut_after(CUT_AFTER_BYTES if number % 2 else -1)
            scene.network.delay_s = 0.02 if number % 3 == 2 else 0.0
            scene.kill_agent(AGENT_LIFE_S, sampling=number % 2 == 1)
            scene.start_agent()
    scene.network.delay_s = 0.0


def _partition(scene: Scene, seconds: float, say: Say) -> None:
    """First nobody is told, then connections are reset; the disk is full for a while, and an agent dies in it."""
    began = time.monotonic()
    scene.network.set(Wire.STALLED)
    time.sleep(min(STALL_S, seconds / 3))
    scene.network.set(Wire.DOWN)
    if scene.disk:
        say("the disk is full")
        with scene.full_disk():
            _overflow(scene)
            scene.kill_agent(0.2)
            scene.start_agent()
            _until_windows(scene, 1)
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    scene.network.set(Wire.UP)


def _overflow(scene: Scene) -> None:
    """Work in functions of long names until memory, which stands in for the disk, is full too."""
    before = scene.state().dropped.get("memory_full", 0)
    scene.workers[0].tell("wide")
    scene.stack.until(
        lambda: scene.state().dropped.get("memory_full", 0) > before,
        scene.agent,
        what="memory is full and drops are counted",
    )
    scene.workers[0].tell("work")


def _finish(scene: Scene) -> int:
    """Rest, let the last windows with work in them pass, and end the agent; its status."""
    for worker in scene.workers:
        worker.tell("rest")
    _until_idle_window(scene)
    scene.stack.until(lambda: scene.settled, scene.agent, what="everything spooled is acknowledged", seconds=120.0)
    status = scene.stop_agent()
    for worker in scene.workers:
        worker.after_ns = procfs.cpu_ns(worker.pid)
    return status


def _until_windows(scene: Scene, count: int) -> None:
    _until_said(scene, "] ", count * len(scene.workers))


def _until_idle_window(scene: Scene) -> None:
    """Wait until each program was at rest for a whole window: two ends of windows later."""
    for worker in scene.workers:
        _until_said(scene, f"{worker.running.name}[{worker.pid}]", 2)


def _until_said(scene: Scene, text: str, times: int) -> None:
    before = scene.agent.said.count(text)
    scene.stack.until(lambda: scene.agent.said.count(text) >= before + times, scene.agent, what=f"{text} {times} times")
