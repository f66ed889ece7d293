"""The hard case: 24 threads of 60 frames. What an agent at defaults takes, costs, and knows after three minutes."""

import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from pivotscope_agent.governing.plan import Budgets
from pivotscope_agent.targets import procfs

from tests.bench.paired import Difference, differences
from tests.bench.toggle import samplers, suspended
from tests.e2e.stack import Running, Stack, cpu_seconds, reaped_cpu_seconds
from tests.truth.bars import Bar
from tests.truth.comparison import short
from tests.truth.observe import PROGRAMS
from tests.truth.record import read_record

HOT = "grind"
CONFIG = '[[select]]\nenv = "OTEL_SERVICE_NAME=deep"\n'
MINUTES = 3.0
DEAR = f"{CONFIG}[budget]\ntarget_cpu = 0.05\nhost_cpu = 0.1\n"
"""Five times the budgets: what watching costs is then large enough to be told from this and that."""
NOBODY = "127.0.0.1:1"
DUTY, PIECE_MS = 0.9, 5.0
"""Part of a core that the program uses, and how long it works at a time, in milliseconds of CPU.

Looks see the lock's holder as often as there is one, so a busier program is known sooner. With shorter pieces more of
the CPU goes to waking and to handing the lock on: CPU that nobody holds the lock for, and that nothing cheap can name.
"""
HALF_WIDTH = 0.10
LOST = 0.01
SPAN_S = 2.0
_POLLS_HZ = 20.0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known after some minutes: parts of a core, parts of the time, and shares of the process's CPU."""

    cpu: float
    own: float
    stopped: float
    truth: float
    estimate: float
    low: float
    high: float
    modes: str


@dataclass(frozen=True, slots=True)
class Lost:
    """What watching costs: more time for a piece, more CPU for a piece, and CPU of agent and samplers while they run,
    as a part of a core."""

    slower: Difference
    cpu: Difference
    watching: float

    def at_most(self, difference: Difference, known: Known) -> float:
        """The same at what watching takes at defaults: a look costs the program the same, however many there are.

        Of the agent's own work, which is the same at any rate, the program is taken to pay for all of it at least.
        """
        slope = difference.high / self.watching
        return known.own * max(1.0, slope) + (known.cpu - known.own) * slope


def look(minutes: float = MINUTES, duty: float = DUTY, piece_ms: float = PIECE_MS) -> Known:
    """Watch the program for so long with an agent at defaults that streams to a collector."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.collector()
        program, log = _program(stack, 60.0 * minutes + 120.0, duty, piece_ms)
        agent = stack.agent(CONFIG, "--print")
        stack.until(lambda: "/complete " in agent.said, agent, what="the first window is taken")
        began, before = time.time_ns(), _cpu(agent)
        stopped = _poll(program.pid, 60.0 * minutes)
        ended, after = time.time_ns(), _cpu(agent)
        seconds = (ended - began) / 1e9
        answer = stack.hotspots("deep")
        agent.stop()
        record = read_record(log).between([(began, ended)])
        row = next(row for row in answer.hotspots if short(row.qualified_name) == HOT)
        whole = answer.services[0].attributed_cpu_seconds
        share = [
            value / whole
            for value in (row.total_cpu_seconds.estimate, row.total_cpu_seconds.low, row.total_cpu_seconds.high)
        ]
        return Known(
            cpu=(sum(after) - sum(before)) / seconds,
            own=(after[0] - before[0]) / seconds,
            stopped=stopped,
            truth=record.functions[HOT] / record.process,
            estimate=share[0],
            low=share[1],
            high=share[2],
            modes=_modes(agent.said),
        )


def lose(rounds: int, duty: float = DUTY, piece_ms: float = PIECE_MS) -> Lost:
    """What an agent with large budgets costs the program, against none, in so many rounds of four short spans.

    The machine's own ups and downs are as large from one second to the next as from one minute to the next, so many
    short spans tell most. A round is with, without, without, with, or the other way round: what drifts cancels out.
    """
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        program, log = _program(stack, rounds * 4.0 * SPAN_S * 1.2 + 360.0, duty, piece_ms)
        agent = stack.agent(DEAR, "--print", collector=NOBODY)
        # First looks, and what they owe, are over.
        stack.until(lambda: agent.said.count("gil/complete ") >= 4, agent, what="the agent has settled", seconds=240.0)
        spans: dict[bool, list[list[tuple[int, int]]]] = {False: [], True: []}
        before = _watching(agent)
        for number in range(rounds):
            for found in spans.values():
                found.append([])
            for watched in (False, True, True, False) if number % 2 else (True, False, False, True):
                with nullcontext() if watched else suspended(agent):
                    spans[watched][-1].append(_span(SPAN_S))
                    if not watched and procfs.stat(program.pid).state in "tT":
                        raise AssertionError("a suspended sampler holds the program")
        after = _watching(agent)
        record = read_record(log)
        alone, seen = ([record.between(pair) for pair in spans[kind]] for kind in (False, True))
        return Lost(
            slower=differences(*([1.0 / one.functions["units"] for one in kind] for kind in (alone, seen))),
            cpu=differences(*([one.process / one.functions["units"] for one in kind] for kind in (alone, seen))),
            watching=(after - before) / (2.0 * SPAN_S * rounds),
        )


def deep_bars(known: Known, lost: Lost | None) -> list[Bar]:
    """What is promised of the hard case."""
    budgets = Budgets()
    half = (known.high - known.low) / 2.0
    bars = [
        Bar("deep: agent and samplers within 1 % of a core",
            f"{100 * known.cpu:.2f} % (agent alone {100 * known.own:.2f} %)", known.cpu <= budgets.target_cpu),
        Bar("deep: process stopped at most 0.5 % of the time",
            f"{100 * known.stopped:.2f} %", known.stopped <= budgets.stopped),
        Bar(f"deep: interval of `{HOT}` at most ±10 points wide", f"{100 * half:.1f} points", half <= HALF_WIDTH),
        Bar(f"deep: truth of `{HOT}` in its interval",
            f"{known.truth:.1%} in {known.low:.1%} to {known.high:.1%}", known.low <= known.truth <= known.high),
        Bar("deep: modes that were taken, and the error of the estimate",
            f"{known.modes}; {100 * (known.estimate - known.truth):+.1f} points", held=True),
    ]  # fmt: skip
    if lost is not None:
        for what, difference in (("time", lost.slower), ("CPU", lost.cpu)):
            most = lost.at_most(difference, known)
            measured = f"{difference} where watching takes {100 * lost.watching:.1f} % of a core"
            bars.append(
                Bar(f"deep: {what} for a piece of work is under 1 % more where it is watched",
                    f"at most {100 * most:.2f} %: {measured}", most < LOST)
            )  # fmt: skip
    return bars


def _program(stack: Stack, seconds: float, duty: float, piece_ms: float) -> tuple[Running, Path]:
    log = stack.folder / "deep.log"
    script = PROGRAMS / "truth_deep.py"
    options = ["--duty", str(duty), "--piece", str(piece_ms)]
    return stack.program([sys.executable, script, log, "1", str(seconds), *options], "deep"), log


def _watching(agent: Running) -> float:
    """CPU of the agent and of its samplers, those that run too, in seconds."""
    return sum(_cpu(agent)) + sum(cpu_seconds(pid) for pid in samplers(agent))


def _cpu(agent: Running) -> tuple[float, float]:
    return cpu_seconds(agent.pid), reaped_cpu_seconds(agent.pid)


def _poll(pid: int, seconds: float) -> float:
    """Part of so many seconds in which random looks find the process stopped."""
    moments, found, looks = random.Random(), 0, 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(moments.expovariate(_POLLS_HZ))
        found += procfs.stat(pid).state in "tT"
        looks += 1
    return found / looks


def _modes(said: str) -> str:
    modes: Counter[str] = Counter()
    for line in said.splitlines():
        if "/complete " in line:
            mode = line.partition("] ")[2].partition("/")[0]
            modes[f"{mode} without stopping" if "without stopping" in line else mode] += 1
    return ", ".join(f"{count} {mode}" for mode, count in modes.most_common())


def _span(seconds: float) -> tuple[int, int]:
    began = time.time_ns()
    time.sleep(seconds)
    return began, time.time_ns()
