"""Simulated samplers under a governor: what a window costs is attaching, and threads × frames for every look."""

import heapq
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from pivotscope.profile.window import Mode
from pivotscope_agent.governing.governor import Governor
from pivotscope_agent.governing.plan import Ask, Plan

SECOND = 1_000_000_000
WINDOW_S = 15
PERIOD_S = 180


def always(_: float) -> float:
    return 1.0


@dataclass(frozen=True)
class Simulated:
    """A process: CPU to attach, and a look in seconds of CPU for all its threads (active) or one (gil).

    `running` is what a look costs that does not stop it, as a part of one that does; a stop lasts `stop` times the
    CPU of its look. `load(seconds)` multiplies the cost of looks; `tells`: windows say what of them was attaching.
    """

    attach: float = 0.014
    thread_look: float = 0.0003
    threads: int = 1
    running: float = 0.5
    stop: float = 1.0
    pool: str = ""
    tells: bool = False
    load: Callable[[float], float] = always

    def look(self, mode: Mode, at: float, *, running: bool) -> float:
        part = self.running if running else 1.0
        return self.thread_look * (self.threads if mode is Mode.ACTIVE else 1) * part * self.load(at)


@dataclass
class Taken:
    """A window that was taken."""

    target: int
    began: float
    plan: Plan
    cpu: float
    stopped: float

    @property
    def ended(self) -> float:
        return self.began + self.plan.seconds


@dataclass
class Fleet:
    """Runs a governor over simulated processes; everything happens at moments in seconds."""

    governor: Governor
    targets: list[Simulated]
    slots: int = 8
    rate_hz: int = 10
    active_every: int = 4
    taken: list[Taken] = field(default_factory=list)
    skipped: list[tuple[int, float, Plan]] = field(default_factory=list)
    most_at_once: int = 0

    def run(self, seconds: float) -> "Fleet":
        """Each target asks at the end of its window or pause; where all slots are taken it waits in line."""
        events = [(0.37 * number, number, -1) for number in range(len(self.targets))]
        running: dict[int, Taken] = {}
        line: deque[int] = deque()
        windows = list(range(len(self.targets)))
        while events:
            now, number, ends = heapq.heappop(events)
            if now > seconds:
                break
            if ends >= 0:
                self._end(running.pop(ends), now)
                line.append(number)
            else:
                line.append(number)
            while line and len(running) < self.slots:
                number = line.popleft()
                plan = self.ask(number, windows[number], now)
                if plan.rate_hz:
                    windows[number] += 1
                    running[number] = self._begin(number, plan, now)
                    self.most_at_once = max(self.most_at_once, len(running))
                    heapq.heappush(events, (running[number].ended, number, number))
                else:
                    self.skipped.append((number, now, plan))
                    heapq.heappush(events, (now + plan.seconds, number, -1))
        return self

    def ask(self, number: int, window: int, now: float) -> Plan:
        due = Mode.ACTIVE if self.active_every and window % self.active_every == 0 else Mode.GIL
        ask = Ask(due, Mode.GIL, self.rate_hz, WINDOW_S)
        pool = self.targets[number].pool or str(number)
        return self.governor.plan((number, 1), pool, ask, round(now * SECOND))

    def _begin(self, number: int, plan: Plan, now: float) -> Taken:
        target = self.targets[number]
        look = target.look(plan.mode, now, running=plan.nonblocking)
        looks = min(plan.looks, max(1.0, (plan.limit_ns / SECOND - target.attach) / look))
        stopped = 0.0 if plan.nonblocking else looks * look * target.stop
        return Taken(number, now, plan, target.attach + looks * look, stopped)

    def _end(self, taken: Taken, now: float) -> None:
        self.taken.append(taken)
        target = self.targets[taken.target]
        look = target.look(taken.plan.mode, taken.began, running=taken.plan.nonblocking)
        looks = max(1.0, (taken.cpu - target.attach) / look)
        cpu, stopped = round(taken.cpu * SECOND), round(taken.stopped * SECOND)
        attach = round(target.attach * SECOND) if target.tells else 0
        self.governor.observe((taken.target, 1), cpu, stopped, looks, round(now * SECOND), attach_ns=attach)

    def worst_cpu(self, target: int | None = None, after: float = PERIOD_S) -> float:
        """The most cores over any three minutes, of one target's samplers or of all."""
        return self._worst(after, lambda taken: taken.cpu if target in {None, taken.target} else 0.0)

    def worst_stop(self, target: int, after: float = PERIOD_S) -> float:
        """The largest part of any three minutes for which a target was stopped."""
        return self._worst(after, lambda taken: taken.stopped if taken.target == target else 0.0)

    def _worst(self, after: float, amount: Callable[[Taken], float]) -> float:
        """Windows count evenly over their length; the worst stretch begins or ends with one of them."""
        changes: dict[float, float] = defaultdict(float)
        for taken in self.taken:
            if found := amount(taken):
                changes[taken.began] += found / taken.plan.seconds
                changes[taken.ended] -= found / taken.plan.seconds
        moments = sorted(changes)
        spent, slopes, total, slope = [], [], 0.0, 0.0
        for before, moment in pairwise([moments[0] if moments else 0.0, *moments]):
            total += slope * (moment - before)
            slope += changes[moment]
            spent.append(total)
            slopes.append(slope)

        def until(at: float) -> float:
            index = bisect_right(moments, at) - 1
            return spent[index] + slopes[index] * (at - moments[index]) if index >= 0 else 0.0

        last = max((taken.ended for taken in self.taken), default=0.0) - PERIOD_S
        edges = {edge for moment in moments for edge in (moment, moment - PERIOD_S) if after <= edge <= last}
        return max(((until(edge + PERIOD_S) - until(edge)) / PERIOD_S for edge in edges), default=0.0)
