"""Holds what observation costs to stated budgets, and says what it chose."""

from collections.abc import Hashable
from dataclasses import replace
from math import ceil

from pivotscope.profile.window import Mode

from pivotscope_agent.governing.cost import ATTACH_NS, Cost
from pivotscope_agent.governing.fit import LOWEST_HZ, Limits, Shape, shape, spared, steady
from pivotscope_agent.governing.known import Granted, Key, KnownTarget, Way
from pivotscope_agent.governing.ledger import SAVED_S, Ledger
from pivotscope_agent.governing.plan import Ask, Budgets, Plan
from pivotscope_agent.status import GovernorStatus, Reason

PROBE_S, PROBE_HZ = 2, 10
UNKNOWN = Cost(50e6, 50e6)
"""Assumed before the first look: where even this fits, there is nothing to be careful about."""
PROBE = Cost(2e6, 2e6)
"""What a first, short window is expected to cost; it is ended early where it costs much more."""
SHORTEST_PAUSE_S = 2
"""Shorter pauses would cost more in records of them than they save."""
DEAR = 3.0
"""A mode whose looks cost so many times those of the base mode is taken less often."""
DEAR_PART = 0.2
"""What it takes then, as a part of what the base mode takes."""
WORTH = 0.8
"""Looks leave a process running for the sake of CPU only where they take less than this part of it."""
SURE = 0.6
"""Stops are taken up again where they cost less than this part of what is allowed."""
_SLOWLY = 0.1


class Governor:
    """Decides on every window before it is taken and learns from every window after.

    What is too dear is made cheaper in this order: a lower rate; rarer windows of dear modes; looks that leave the
    process running; pauses; and turns among replicas. Pure: time comes with each call, in nanoseconds of a clock that
    never jumps. `samplers_ns` is CPU of all windows that were observed.
    """

    def __init__(self, budgets: Budgets, now_ns: int) -> None:
        self.samplers_ns = 0
        self._ledger = Ledger(budgets, now_ns)

    def charge_own(self, cores: float) -> None:
        """What the agent itself takes lately, in cores: its process and the children that are no samplers."""
        self._ledger.charge_own(cores)

    def plan(self, key: Key, pool: Hashable, ask: Ask, now_ns: int) -> Plan:
        """Decide on a target's next window; `pool` names its replicas.

        What is granted is to be observed, or withdrawn where it is not taken.
        """
        target = self._ledger.join(key, pool, now_ns)
        target.asked_ns = now_ns
        self.withdraw(key, now_ns)
        if not target.costs:
            self._ledger.teach(target)
        target.retry(ask.base, now_ns)
        base = target.way(ask.base, ask)
        self._ledger.hand_on(target, base)
        # Other modes wait for a whole window of the base mode: they are tried at its rate.
        ready = base in target.costs and base in target.rates
        due = target.owed or ask.mode if ready else ask.base
        plan = self._grant(target, ask, due, now_ns)
        if plan is not None and due is target.owed:
            target.owed, target.meanwhile = None, 0
        if plan is None and due is not ask.base and self._may_wait(target, ask, due):
            target.owed = due
            target.meanwhile += 1
            plan = self._grant(target, ask, ask.base, now_ns)
        part = min(1.0, plan.looks / (ask.rate_hz * ask.seconds)) if plan else 0.0
        target.kept += _SLOWLY * (part - target.kept)
        return plan or self._left_out(target, ask, base, now_ns)

    def withdraw(self, key: Key, now_ns: int) -> None:
        """A window that was granted is not taken."""
        target = self._ledger.targets.get(key)
        if target is not None and target.granted is not None:
            self._ledger.settle(target, 0.0, 0.0, now_ns)

    def observe(self, key: Key, cpu_ns: int, stopped_ns: int, looks: float, now_ns: int, *, attach_ns: int = 0) -> None:
        """Learn what the granted window cost: CPU of its sampler, and time that the process was stopped for its looks.

        0 looks: the sampler failed, its CPU says nothing about looks. `attach_ns` is the part of the CPU that it took
        before the first look, 0 where that is not known.
        """
        self.samplers_ns += cpu_ns
        target = self._ledger.targets.get(key)
        if target is None or (granted := self._ledger.settle(target, cpu_ns, stopped_ns, now_ns)) is None:
            return
        target.sampled_ns = now_ns
        if looks >= 1.0:
            plan = granted.plan
            way = (plan.mode, plan.nonblocking)
            attach = attach_ns or (target.costs[way].attach_ns if way in target.costs else ATTACH_NS)
            seen = Cost.of(cpu_ns, 0 if plan.nonblocking else stopped_ns, looks, attach)
            target.costs.setdefault(way, seen).learn(seen)
            if plan.code is not Reason.PROBE:
                target.rates[way] = plan.rate_hz
            if plan.mode is granted.ask.base:
                self._judge(target, granted.ask, way, now_ns)

    def forget(self, key: Key) -> None:
        """Drop a target that ended."""
        if (target := self._ledger.targets.get(key)) is not None:
            self._ledger.leave(target)

    def kept(self, key: Key) -> float:
        """Part of the looks asked for that a target got lately."""
        target = self._ledger.targets.get(key)
        return target.kept if target else 1.0

    def status(self, now_ns: int) -> GovernorStatus:
        """Where it stands."""
        targets, stopped = list(self._ledger.targets.values()), self._ledger.budgets.stopped
        scale = sum(target.kept for target in targets) / len(targets) if targets else 1.0
        gentle = sum(target.gentle for target in targets)
        said = [f"{scale:.0%} of the looks asked for"] if scale < 0.995 else []
        said += [f"{gentle} of {len(targets)} targets are looked at without stopping them"] if gentle else []
        return GovernorStatus(
            cpu_budget=self._ledger.budget(),
            cpu_used=self._ledger.used(now_ns),
            scale=scale,
            stop_budget=stopped if stopped < 1.0 else None,
            reason="; ".join(said),
        )

    def _grant(self, target: KnownTarget, ask: Ask, mode: Mode, now_ns: int) -> Plan | None:
        """A window in this mode, paid for; None where it cannot be afforded now."""
        way = target.way(mode, ask)
        self._ledger.hand_on(target, way)
        if way not in target.costs:
            if self._ledger.is_learning(target):
                return None
            found, limits, probe = self._first(target, ask, mode, now_ns)
        else:
            found, limits = self._fitted(target, ask, target.costs[way], way, now_ns)
            probe = False
        if not found.payable(limits) or not self._ledger.has_turn(target, found, ask.seconds, now_ns):
            return None
        plan = _plan(target, ask, way, found, limits, probe=probe)
        if probe:
            plan = replace(plan, limit_ns=round(max(6e7, self._ledger.target_rate() * SAVED_S * 1e9)))
        self._ledger.reserve(target, Granted(ask, plan, found.cpu_ns, found.stop_ns))
        return plan

    def _first(self, target: KnownTarget, ask: Ask, mode: Mode, now_ns: int) -> tuple[Shape, Limits, bool]:
        """A window of unknown cost: as asked where budgets are ample, else a short one to learn from."""
        limits = self._ledger.limits(target, None, ask.seconds, now_ns)
        running = target.way(mode, ask)[1]
        bold = steady(replace(UNKNOWN, stop_ns=0.0) if running else UNKNOWN, limits, ask.rate_hz, ask.seconds, 0)
        if bold is not None and bold.rate_hz == ask.rate_hz:
            return bold, limits, False
        rate = target.rates.get(target.way(ask.base, ask), PROBE_HZ) if mode is not ask.base else PROBE_HZ
        first = replace(PROBE, stop_ns=0.0) if running else PROBE
        probe = shape(first, min(rate, PROBE_HZ, ask.rate_hz), min(PROBE_S, ask.seconds))
        return probe, self._ledger.limits(target, probe, ask.seconds, now_ns), True

    def _fitted(self, target: KnownTarget, ask: Ask, cost: Cost, way: Way, now_ns: int) -> tuple[Shape, Limits]:
        """The most that a target's known cost allows."""
        limits = self._ledger.limits(target, None, ask.seconds, now_ns)
        # Replicas taught what it costs, and all of them may wait for turns: until each was seen once, turns are cheap.
        spare_hz = ask.rate_hz if target.sampled_ns >= 0 else min(LOWEST_HZ, ask.rate_hz)
        spare = spared(cost, limits, spare_hz, ask.seconds)
        limits = self._ledger.limits(target, spare, ask.seconds, now_ns)
        thrifty = target.owed is not None  # What is saved is for a mode that waits.
        last_hz = target.rates.get(way, 0)
        return steady(cost, limits, ask.rate_hz, ask.seconds, last_hz, thrifty=thrifty) or spare, limits

    def _may_wait(self, target: KnownTarget, ask: Ask, mode: Mode) -> bool:
        """Whether windows of the base mode are taken while a dear mode waits: until it takes no more than its part."""
        cost, base = target.costs.get(target.way(mode, ask)), target.costs[target.way(ask.base, ask)]
        if cost is None or cost.look_ns < DEAR * base.look_ns:
            return False
        spare = spared(cost, self._ledger.limits(target, None, ask.seconds, target.asked_ns), ask.rate_hz, ask.seconds)
        return target.meanwhile * base.cpu_ns(ask.seconds * LOWEST_HZ) * DEAR_PART < spare.cpu_ns

    def _judge(self, target: KnownTarget, ask: Ask, way: Way, now_ns: int) -> None:
        """Whether looks may stop this target, and what it would take to sample it as asked."""
        cost = target.costs[way]
        target.wish = cost.cpu_ns(ask.rate_hz * ask.seconds) / ask.seconds / 1e9
        if ask.nonblocking:
            return
        lowest, stop_ns = min(LOWEST_HZ, ask.rate_hz), self._ledger.stop_rate() * 1e9
        if not target.gentle:
            allowed = SURE if target.hold_s else 1.0
            dear = cost.cpu_ns(lowest * ask.seconds) > allowed * self._ledger.target_rate() * ask.seconds * 1e9
            stops = cost.stop_ns * lowest > allowed * stop_ns
            if stops or (dear and not target.firm):
                target.hold(Reason.STOP_BUDGET if stops else Reason.CPU_BUDGET, now_ns)
            elif target.hold_s and not dear:
                target.hold_s = 0.0
        elif (stopping := target.costs.get((ask.base, False))) is not None:
            no_use = cost.look_ns > WORTH * stopping.look_ns
            if no_use and stopping.stop_ns * lowest <= stop_ns:
                target.gentle, target.firm = False, True

    def _left_out(self, target: KnownTarget, ask: Ask, base: Way, now_ns: int) -> Plan:
        alone = self._ledger.is_alone(target)
        if not target.blocked and not alone:
            return Plan(Mode.NONE, 0, ask.seconds, code=Reason.ROTATION, text="another replica's turn")
        # Replicas ask at one pace: who asks more often must not have more turns.
        seconds = self._saving_s(target, ask, base, now_ns) if alone and base in target.costs else ask.seconds
        return Plan(Mode.NONE, 0, seconds, code=Reason.CPU_BUDGET, text="a pause")

    def _saving_s(self, target: KnownTarget, ask: Ask, way: Way, now_ns: int) -> int:
        """How long it takes to save for the next window; a window's length at most.

        The window that ends a pause stands for all of it, and unequal windows tell less together.
        """
        found, limits = self._fitted(target, ask, target.costs[way], way, now_ns)
        return max(SHORTEST_PAUSE_S, ceil(min(ask.seconds, found.payable_in(limits))))


def _plan(target: KnownTarget, ask: Ask, way: Way, found: Shape, limits: Limits, *, probe: bool) -> Plan:
    mode, running = way
    plan = Plan(mode, found.rate_hz, found.seconds, running)
    if probe:
        return replace(plan, code=Reason.PROBE, text=f"{found.seconds} s to learn what looks cost")
    said = []
    if found.rate_hz < ask.rate_hz:
        said.append(f"{found.rate_hz} of {ask.rate_hz} Hz")
    if found.seconds < ask.seconds:
        said.append(f"{found.seconds} of {ask.seconds} s")
    if running and not ask.nonblocking:
        said.append("without stopping the process")
    if target.owed and mode is ask.base:
        said.append(f"{target.owed} less often")
    if not said:
        return replace(plan, limit_ns=_limit(found))
    stop_bound = found.stop_ns * limits.steady_cpu > found.cpu_ns * limits.steady_stop
    code = Reason.STOP_BUDGET if stop_bound else Reason.CPU_BUDGET
    if running and found.rate_hz == ask.rate_hz:
        code = target.cause or code
    return replace(plan, code=code, text=", ".join(said), limit_ns=_limit(found))


def _limit(found: Shape) -> int:
    """CPU beyond which something is wrong."""
    return round(max(2.0 * found.cpu_ns, found.cpu_ns + 5e7))
