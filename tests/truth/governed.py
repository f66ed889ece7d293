"""Whether the governor's choices bend the estimates: simulated processes whose work depends on what it chooses by."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import mean

from pivotscope.profile.function import Function, Owner
from pivotscope.profile.language import Language
from pivotscope.profile.window import Mode, Outcome, Process, Sample, Usage, Window
from pivotscope_agent.governing.governor import Governor
from pivotscope_agent.governing.plan import Budgets, Plan

from tests.agent.governing.fleet import WINDOW_S, Fleet, Simulated
from tests.truth.bars import COVERAGE, Bar
from tests.truth.sums import estimate

RUNS = 60
SECONDS = 2400.0
SETTLED_S = 300.0
BIAS = 0.02
_HOT = Function("c", Language.PYTHON, "c.py", "hot", Owner.APPLICATION)
_COLD = Function("c", Language.PYTHON, "c.py", "cold", Owner.APPLICATION)
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Scene:
    """Processes that are busy and idle in turn, for `stretch` seconds on average.

    Busy ones use `busy_cpu` cores, work on `hot` for `busy_hot` of that, and a look at them costs `busy_look` seconds
    of CPU; idle ones likewise.
    """

    name: str
    replicas: int
    busy_look: float
    idle_look: float
    stretch: float
    attach: float = 0.02
    busy_cpu: float = 0.8
    idle_cpu: float = 0.2
    busy_hot: float = 0.7
    idle_hot: float = 0.3


SCENES = (
    Scene("rates that fall when the process is busy", 1, 0.004, 0.0004, 60.0),
    Scene("pauses that grow when the process is busy", 1, 0.03, 0.003, 60.0),
    Scene("pauses that grow in busy hours", 1, 0.03, 0.003, 600.0),
    Scene("turns among replicas of which some are busy", 30, 0.002, 0.0003, 600.0),
)


@dataclass(frozen=True, slots=True)
class Life:
    """When a process is busy: the moments at which that changes, from idle at 0."""

    changes: tuple[float, ...]

    def busy(self, at: float) -> bool:
        return sum(change <= at for change in self.changes) % 2 == 1

    def busy_part(self, began: float, ended: float) -> float:
        """Part of a stretch of time."""
        edges = [began, *(change for change in self.changes if began < change < ended), ended]
        return sum(b - a for a, b in pairwise(edges) if self.busy((a + b) / 2)) / (ended - began)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Over many runs: error of the share of `hot`, how often its interval held the truth, part of the time sampled."""

    bias: float
    spread: float
    covered: float
    sampled: float


def simulate(scene: Scene, runs: int = RUNS) -> Outcomes:
    """So many runs with other lives."""
    errors, covered, sampled = [], 0, []
    for seed in range(runs):
        truth, found, low, high, part = _run(scene, random.Random(seed))
        errors.append(found - truth)
        covered += low <= truth <= high
        sampled.append(part)
    spread = (sum(error * error for error in errors) / runs) ** 0.5
    return Outcomes(mean(errors), spread, covered / runs, mean(sampled))


def governed_bars(runs: int = RUNS) -> list[Bar]:
    """What holds in every scene."""
    bars = []
    for scene in SCENES:
        seen = simulate(scene, runs)
        measured = f"bias {100 * seen.bias:+.2f} points, {seen.covered:.0%} of intervals hold"
        measured += f", {seen.sampled:.0%} of the time sampled"
        bars.append(Bar(f"governed: {scene.name}", measured, abs(seen.bias) < BIAS and seen.covered >= COVERAGE))
    return bars


def _life(scene: Scene, mix: random.Random) -> Life:
    changes, at = [], mix.uniform(-scene.stretch, 0.0)
    while at < SECONDS:
        at += mix.expovariate(1.0 / scene.stretch)
        changes.append(at)
    return Life(tuple(change for change in changes if change > 0.0))


def _run(scene: Scene, mix: random.Random) -> tuple[float, float, float, float, float]:
    lives = [_life(scene, mix) for _ in range(scene.replicas)]
    governor = Governor(Budgets(), 0)
    governor.charge_own(0.002)

    def load(life: Life) -> Callable[[float], float]:
        return lambda at: scene.busy_look if life.busy(at) else scene.idle_look

    targets = [Simulated(attach=scene.attach, thread_look=1.0, stop=0.1, pool="a", load=load(life)) for life in lives]
    fleet = Fleet(governor, targets, active_every=0).run(SECONDS)
    windows, hot_cpu, cpu = [], 0.0, 0.0
    taken = [one for one in fleet.taken if one.began >= SETTLED_S]
    pieces = [(one.began, one.target, one.plan) for one in taken]
    pieces += [
        (began, number, plan) for number, began, plan in fleet.skipped if SETTLED_S <= began < SECONDS - WINDOW_S
    ]
    left_out = [0] * scene.replicas
    for began, number, plan in sorted(pieces, key=lambda piece: piece[:2]):
        window = _window(scene, lives[number], number, began, plan, mix)
        windows.append(replace(window, left_out_ns=left_out[number]) if plan.rate_hz else window)
        left_out[number] = 0 if plan.rate_hz else left_out[number] + window.duration_ns
    for life in lives:
        busy = life.busy_part(SETTLED_S, SECONDS)
        cpu += busy * scene.busy_cpu + (1 - busy) * scene.idle_cpu
        hot_cpu += busy * scene.busy_cpu * scene.busy_hot + (1 - busy) * scene.idle_cpu * scene.idle_hot
    share = estimate(windows).functions["hot"].total_share
    part = sum(one.plan.seconds for one in taken) / (SECONDS - SETTLED_S) / scene.replicas
    return hot_cpu / cpu, share.estimate, share.low, share.high, part


def _window(  # noqa: PLR0917 - a process, a time, and the dice
    scene: Scene, life: Life, number: int, began: float, plan: Plan, mix: random.Random
) -> Window:
    """A window as an agent would send it; rate 0: one that was left out."""
    seconds, rate_hz = plan.seconds, plan.rate_hz
    busy = life.busy_part(began, began + seconds)
    cpu = busy * scene.busy_cpu + (1 - busy) * scene.idle_cpu
    counts = {_HOT: 0, _COLD: 0}
    for look in range(rate_hz * seconds):
        is_busy = life.busy(began + (look + mix.random()) / rate_hz)
        if mix.random() < (scene.busy_cpu if is_busy else scene.idle_cpu):
            counts[_HOT if mix.random() < (scene.busy_hot if is_busy else scene.idle_hot) else _COLD] += 1
    return Window(
        process=Process("s", "", "", "", "i", "h", number + 1, 1, Language.PYTHON),
        mode=Mode.GIL if rate_hz else Mode.NONE,
        outcome=Outcome.COMPLETE if rate_hz else Outcome.SKIPPED,
        started_unix_ns=round(began * SECOND),
        duration_ns=seconds * SECOND,
        usage=Usage(cpu_user_ns=round(cpu * seconds * SECOND)),
        rate_hz=rate_hz,
        ticks=rate_hz * seconds,
        samples=tuple(Sample((function,), 1, count) for function, count in counts.items() if count),
    )
