"""Who may spend how much: the accounts of the host, of each pool and of each target."""

from collections.abc import Hashable
from math import exp, inf

from pivotscope_agent.governing.account import Account
from pivotscope_agent.governing.fit import ROUNDING_NS, Limits, Shape
from pivotscope_agent.governing.known import Granted, Key, KnownPool, KnownTarget, Way
from pivotscope_agent.governing.plan import Budgets
from pivotscope_agent.governing.shares import fair

MARGIN = 0.9
"""Part of a budget that is planned with; the rest is for what comes out dearer than it was."""
LEAST_PART = 0.25
"""Samplers get so much of a budget at the least, whatever the agent itself takes: it must not go blind."""
SAVED_S = 18.0
"""Savings: what fills in so many seconds. With the margin, three minutes hold their budget whatever was saved."""
ACTIVE_S = 180.0
"""A target that did not ask for so long needs no share."""
SHARED_S = 5.0
"""How long a division of the budget over pools stands."""
_LATELY_S = 60.0


class Ledger:
    """Keeps the accounts. A window is paid for in advance by what it is expected to cost, and settled afterwards.

    The host's and the target's accounts hold the budgets that were stated; a pool's account holds its fair share of the
    host's, which may be saved for longer.
    """

    def __init__(self, budgets: Budgets, now_ns: int) -> None:
        self.budgets = budgets
        self.targets: dict[Key, KnownTarget] = {}
        self._pools: dict[Hashable, KnownPool] = {}
        self._host = Account(now_ns)
        self._host.spend(-min(budgets.host_cpu, budgets.target_cpu) * SAVED_S * 1e9)
        self._own = 0.0
        self._shared_ns: int | None = None
        self._spent_ns, self._spent_at_ns = 0.0, now_ns

    def charge_own(self, cores: float) -> None:
        """What the agent itself takes lately, in cores."""
        self._own = cores

    def join(self, key: Key, pool: Hashable, now_ns: int) -> KnownTarget:
        """The target of this key; a new one begins with savings."""
        target = self.targets.get(key)
        if target is not None:
            return target
        cpu, stop, common = Account(now_ns), Account(now_ns), Account(now_ns)
        for account in (cpu, common):
            account.spend(-self.target_rate() * SAVED_S * 1e9)
        if self.stop_rate() < inf:
            stop.spend(-self.stop_rate() * SAVED_S * 1e9)
        target = self.targets[key] = KnownTarget(key, pool, cpu, stop)
        known = self._pools.setdefault(pool, KnownPool(common))
        known.members[key] = target
        self._shared_ns = None
        return target

    def teach(self, target: KnownTarget) -> None:
        """Let it begin with all that the replica knows which was sampled last."""
        if taught := [one for one in self._pools[target.pool].members.values() if one.costs]:
            target.follow(max(taught, key=lambda one: one.sampled_ns))

    def hand_on(self, target: KnownTarget, way: Way) -> None:
        """Let it know what a look costs in this way where a replica does, and it does not.

        Whether stopping it is still too dear, each finds out for itself.
        """
        tries_again = target.hold_s > 0.0 and not way[1]
        if way in target.costs or tries_again:
            return
        if taught := [one for one in self._pools[target.pool].members.values() if way in one.costs]:
            target.learn_from(max(taught, key=lambda one: one.sampled_ns), way)

    def is_learning(self, target: KnownTarget) -> bool:
        """Whether a replica's first look is on its way, and there is too little for each to have its own."""
        pool = self._pools[target.pool]
        return pool.scarce and any(other.is_probed for other in pool.members.values())

    def leave(self, target: KnownTarget) -> None:
        """A target ended."""
        self.settle(target, 0.0, 0.0, 0)
        del self.targets[target.key]
        members = self._pools[target.pool].members
        del members[target.key]
        if not members:
            del self._pools[target.pool]
        self._shared_ns = None

    def budget(self) -> float:
        """What agent and samplers may take together, in cores."""
        return min(self.budgets.target_cpu * max(1, len(self.targets)), self.budgets.host_cpu)

    def host_rate(self) -> float:
        """What all samplers may take together."""
        return max(MARGIN * self.budget() - self._own, LEAST_PART * self.budget())

    def target_rate(self) -> float:
        """What the samplers of one target may take; it bears its part of what the agent takes."""
        whole = self.budgets.target_cpu
        return min(self.host_rate(), max(MARGIN * whole - self._own / max(1, len(self.targets)), LEAST_PART * whole))

    def stop_rate(self) -> float:
        """Part of the time for which a target may be stopped; infinite where that is not bounded."""
        return MARGIN * self.budgets.stopped if self.budgets.stopped < 1.0 else inf

    def limits(self, target: KnownTarget, need: Shape | None, seconds: int, now_ns: int) -> Limits:
        """What a window of this target may cost now. `need` is what accounts must be able to save for, in time.

        Without it, savings are left as they are.
        """
        pool, own, host = self._shared(target, now_ns), self.target_rate(), self.host_rate()
        cpu, stop = (need.cpu_ns, need.stop_ns) if need else (inf, inf)
        # Its turn may be a dearer replica's: what they share saves for that one, whoever asks.
        target.need_ns = need.cpu_ns if need else target.need_ns
        shared = pool.most_needed(now_ns - round(ACTIVE_S * 1e9)) if need else inf
        rate = self.stop_rate()

        def there(account: Account, rate: float, most: float) -> float:
            """What is there for a window: savings, as much as one may need, and what fills while it lasts."""
            fills = rate * seconds * 1e9
            return account.settle(now_ns, rate, max(rate * SAVED_S * 1e9, most - fills)) + fills

        accounts = ((target.cpu, own, cpu), (pool.cpu, pool.share, shared), (self._host, host, cpu))
        now = [there(*one) for one in accounts]
        stop_now = there(target.stop, rate, stop) if rate < inf else inf
        target.blocked = need is not None and (now[0] + ROUNDING_NS < cpu or stop_now + ROUNDING_NS < stop)
        return Limits(
            steady_cpu=min(own, pool.share / pool.active),
            steady_stop=rate,
            cpu_now_ns=min(now),
            stop_now_ns=stop_now,
            cpu_most_ns=min(own, host) * (SAVED_S + seconds) * 1e9,
            stop_most_ns=rate * (SAVED_S + seconds) * 1e9,
        )

    def has_turn(self, target: KnownTarget, shape: Shape, seconds: int, now_ns: int) -> bool:
        """Where a pool cannot sample all its replicas at once, those go first whose latest window is longest ago."""
        pool = self._shared(target, now_ns)
        if not pool.scarce or pool.active < 2:
            return True
        there = pool.cpu.settle(now_ns, pool.share, inf) + pool.share * seconds * 1e9
        return pool.ahead_of(target, now_ns - round(ACTIVE_S * 1e9)) < max(1, int(there / shape.cpu_ns))

    def is_alone(self, target: KnownTarget) -> bool:
        """Whether it has no replicas."""
        return len(self._pools[target.pool].members) == 1

    def reserve(self, target: KnownTarget, granted: Granted) -> None:
        """Set aside what a window is expected to cost."""
        target.granted = granted
        self._spend(target, granted.cpu_ns, granted.stop_ns)

    def settle(self, target: KnownTarget, cpu_ns: float, stop_ns: float, now_ns: int) -> Granted | None:
        """Replace what was set aside by what was spent; gives the window that was granted."""
        granted, target.granted = target.granted, None
        aside = (granted.cpu_ns, granted.stop_ns) if granted else (0.0, 0.0)
        self._spend(target, cpu_ns - aside[0], stop_ns - aside[1])
        self._lately(cpu_ns, now_ns)
        return granted

    def used(self, now_ns: int) -> float:
        """Cores that agent and samplers took lately."""
        self._lately(0.0, now_ns)
        return self._own + self._spent_ns / (_LATELY_S * 1e9)

    def _spend(self, target: KnownTarget, cpu_ns: float, stop_ns: float) -> None:
        for account in (target.cpu, self._pools[target.pool].cpu, self._host):
            account.spend(cpu_ns)
        target.stop.spend(stop_ns)

    def _lately(self, cpu_ns: float, now_ns: int) -> None:
        passed = max(0, now_ns - self._spent_at_ns)
        self._spent_at_ns += passed
        self._spent_ns = self._spent_ns * exp(-passed / (_LATELY_S * 1e9)) + cpu_ns

    def _shared(self, target: KnownTarget, now_ns: int) -> KnownPool:
        """The target's pool, with its share of the budget as it stands."""
        if self._shared_ns is None or now_ns - self._shared_ns > SHARED_S * 1e9:
            self._share(now_ns)
        return self._pools[target.pool]

    def _share(self, now_ns: int) -> None:
        since, most = now_ns - round(ACTIVE_S * 1e9), self.target_rate()
        wishes = {}
        for name, pool in self._pools.items():
            active = [member for member in pool.members.values() if member.asked_ns >= since]
            pool.active = max(1, len(active))
            wishes[name] = sum(min(most, member.wish or most) for member in active)
        shares = fair(self.host_rate(), wishes)
        # What nobody wishes for is there for whoever turns out dearer.
        left = self.host_rate() - sum(shares.values())
        for name, pool in self._pools.items():
            pool.scarce = shares[name] < wishes[name]
            pool.share = min(most * pool.active, shares[name] + left)
        self._shared_ns = now_ns
