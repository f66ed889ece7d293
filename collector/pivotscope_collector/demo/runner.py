"""The demo's story: two services under load, from the first sample to the before/after."""

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from pivotscope_collector.demo import natives, services
from pivotscope_collector.demo.console import Console
from pivotscope_collector.demo.observers import Observers, start_observers
from pivotscope_collector.demo.processes import Processes
from pivotscope_collector.demo.report import before_and_after, plan_and_hotspots, write_flame
from pivotscope_collector.demo.services import Service
from pivotscope_collector.errors import UsageError


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the rollout: the share of users with native code, and for how long, in seconds.

    The last stage keeps a small holdback on the old code, so that there is something to compare with.
    """

    share: float
    seconds: float


BASELINE_SECONDS = 45.0
STAGES = (Stage(0.10, 20.0), Stage(0.50, 50.0), Stage(0.98, 20.0))
SETTLE_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What the story plays in: where results go, what runs, whom to talk to."""

    out: Path
    work: Path
    console: Console
    processes: Processes
    keep: bool


def run(out: Path, *, keep: bool) -> None:
    """Tell the whole story; leave its results in `out`. Whatever was started is stopped, unless `keep`."""
    work = _fresh(out)
    scene = Scene(out, work, Console(), Processes(work / "logs"), keep)
    with _interruptible():
        try:
            _story(scene)
        except BaseException:
            scene.console.say("Stopping everything that was started.")
            scene.processes.stop_all()
            raise
    if keep:
        pids = scene.processes.pids()
        scene.console.say(f"Still running: {', '.join(f'{name} ({pid})' for name, pid in pids.items())}.")
        scene.console.say(f"Stop it with: kill {' '.join(str(pid) for pid in reversed(pids.values()))}")
    else:
        scene.processes.stop_all()
        scene.console.say("Everything that was started has been stopped.")


def _story(scene: Scene) -> None:
    scene.console.step("Building native code")
    shops = _start_services(scene)
    observers = start_observers(scene.processes, scene.work, shops, keep=scene.keep)
    for seed, shop in enumerate(shops):
        services.start_load(scene.processes, shop, seed, keep=scene.keep)
    scene.console.say(
        f"The collector listens at {observers.address}; services: {', '.join(shop.url for shop in shops)}."
    )
    _watch(scene, BASELINE_SECONDS, "Sampling production as it is")
    plan_and_hotspots(scene.console, observers, shops, scene.out)
    _roll_out(scene, observers, shops)
    write_flame(scene.console, observers, scene.out)


def _start_services(scene: Scene) -> list[Service]:
    python = natives.build_python(scene.work / "native")
    scene.console.say(f"Python: {python.bridge or 'no native code: ' + python.reason}.")
    shops = [services.start_python(scene.processes, scene.work, python, keep=scene.keep)]
    ruby = services.find_ruby()
    missing = "" if shutil.which("rbspy", path=services.search_path()) else "rbspy"
    if ruby is None or missing:
        reason = missing or "ruby or puma"
        scene.console.say(f"Ruby is left out: {reason} was not found. The demo goes on with Python alone.")
        return shops
    native = natives.build_ruby(scene.work / "native", ruby.ruby)
    scene.console.say(f"Ruby: {native.bridge or 'no native code: ' + native.reason}.")
    return [*shops, services.start_ruby(scene.processes, scene.work, native, ruby.puma, keep=scene.keep)]


def _roll_out(scene: Scene, observers: Observers, shops: list[Service]) -> None:
    movable = [shop for shop in shops if shop.native.folder is not None]
    for shop in shops:
        if shop not in movable:
            scene.console.say(f"{shop.name}: no rollout, there is no native code ({shop.native.reason}).")
    if not movable:
        return
    scene.console.step("Rolling out")
    boundaries = []
    for stage in STAGES:
        for shop in movable:
            shop.send_share(stage.share)
        boundaries.append(time.time_ns())
        _watch(scene, stage.seconds, f"{stage.share:.0%} of the users on native code")
    ended_ns = time.time_ns()
    _watch(scene, SETTLE_SECONDS, "Waiting for the last windows")
    before_and_after(scene.console, observers, movable, scene.out, (boundaries[0], ended_ns))


def _watch(scene: Scene, seconds: float, what: str) -> None:
    """Let the services run, with a progress bar; an error as soon as one of the programs ends."""
    deadline = time.monotonic() + seconds
    with scene.console.progress(what, seconds) as advance:
        while (left := deadline - time.monotonic()) > 0:
            scene.processes.check()
            time.sleep(min(0.5, left))
            advance(seconds - max(0.0, deadline - time.monotonic()))


def _fresh(out: Path) -> Path:
    """The working folder inside `out`, empty."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        work = out / "work"
        shutil.rmtree(work, ignore_errors=True)
        (work / "logs").mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"cannot write to {out}: {error.strerror}") from error
    return work.resolve()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into KeyboardInterrupt, so that they stop everything as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
