"""What the governor knows of each target and pool."""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from pivotscope.profile.window import Mode

from pivotscope_agent.governing.account import Account
from pivotscope_agent.governing.cost import Cost
from pivotscope_agent.governing.plan import Ask, Plan
from pivotscope_agent.status import Reason

Key = tuple[int, int]
Way = tuple[Mode, bool]
"""A mode, and whether looks leave the process running: what the cost of a look depends on."""

FIRST_HOLD_S, LONGEST_HOLD_S = 600.0, 7200.0
"""How long looks leave a process running before stopping it is tried again; doubled each time that it was too dear."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A window on its way, and what was set aside for it."""

    ask: Ask
    plan: Plan
    cpu_ns: float
    stop_ns: float


@dataclass(slots=True)
class KnownTarget:
    """A target: its accounts, costs by way, the rate of each way's latest window, and its place in the rotation.

    `gentle` says that looks leave it running because otherwise they would be too dear, by `cause`; `firm` that this was
    tried and did not help. `owed` is a mode that waits for savings, `meanwhile` counts the windows taken since;
    `blocked` says that its own accounts refused the latest question, for a window that needs `need_ns` of CPU. `wish`
    is what sampling it as asked would take, in cores; `kept` the part of the looks asked for that it got lately.
    """

    key: Key
    pool: Hashable
    cpu: Account
    stop: Account
    costs: dict[Way, Cost] = field(default_factory=dict)
    rates: dict[Way, int] = field(default_factory=dict)
    gentle: bool = False
    cause: Reason = Reason.NONE
    firm: bool = False
    hold_s: float = 0.0
    retry_ns: int = 0
    owed: Mode | None = None
    meanwhile: int = 0
    granted: Granted | None = None
    blocked: bool = False
    need_ns: float = 0.0
    asked_ns: int = 0
    sampled_ns: int = -1
    wish: float = 0.0
    kept: float = 1.0

    @property
    def is_probed(self) -> bool:
        """Whether a first look at it is on its way."""
        return self.granted is not None and self.granted.plan.code is Reason.PROBE

    def way(self, mode: Mode, ask: Ask) -> Way:
        """How a window in this mode would be taken. Native frames cannot be read while the process runs."""
        return mode, (ask.nonblocking or self.gentle) and mode is not Mode.NATIVE

    def hold(self, cause: Reason, now_ns: int) -> None:
        """Stop the process no more for a while."""
        self.gentle, self.cause = True, cause
        self.hold_s = min(LONGEST_HOLD_S, self.hold_s * 2.0 or FIRST_HOLD_S)
        self.retry_ns = now_ns + round(self.hold_s * 1e9)

    def retry(self, base: Mode, now_ns: int) -> None:
        """When its time has come, find out anew what it costs to stop the process."""
        if self.gentle and now_ns >= self.retry_ns:
            self.gentle = False
            self.costs.pop((base, False), None)

    def follow(self, other: "KnownTarget") -> None:
        """Begin with what a replica taught."""
        for way in other.costs:
            self.learn_from(other, way)
        self.gentle, self.cause, self.firm = other.gentle, other.cause, other.firm
        self.hold_s, self.retry_ns, self.wish = other.hold_s, other.retry_ns, other.wish

    def learn_from(self, other: "KnownTarget", way: Way) -> None:
        """Begin to sample in a way with what it cost at a replica."""
        self.costs[way] = replace(other.costs[way])
        if way in other.rates:
            self.rates[way] = other.rates[way]


@dataclass(slots=True)
class KnownPool:
    """Replicas of each other, and their common account."""

    cpu: Account
    members: dict[Key, KnownTarget] = field(default_factory=dict)
    share: float = 0.0
    scarce: bool = False
    active: int = 1

    def most_needed(self, since_ns: int) -> float:
        """CPU of the dearest window that a replica which asked since then would take."""
        return max((member.need_ns for member in self.members.values() if member.asked_ns >= since_ns), default=0.0)

    def ahead_of(self, target: KnownTarget, since_ns: int) -> int:
        """Replicas, of those that wait and could be sampled, whose latest window is longer ago."""
        return sum(
            other.granted is None
            and not other.blocked
            and other.asked_ns >= since_ns
            and other.sampled_ns < target.sampled_ns
            for other in self.members.values()
        )
