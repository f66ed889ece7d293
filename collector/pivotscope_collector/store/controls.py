"""What is asked of agents: written by one collector, read by all."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pivotscope.profile.window import Mode

from pivotscope_collector.store.client import Client, rows

_US, _MS = 1_000, 1_000_000
FACTS_MS = 3_600_000
"""For so long a request for facts stands: agents that connect within it are told."""


class Kind(StrEnum):
    """What can be asked for."""

    PAUSE = "pause"
    RATE = "rate"
    TARGETS = "targets"
    MODES = "modes"
    FACTS = "facts"


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing that is asked; empty names stand for all. `until_ns` is the end of a pause, 0: until resumed.

    `amount` is a rate in Hz or a number of targets.
    """

    kind: Kind
    agent: str = ""
    service: str = ""
    codebase: str = ""
    amount: int = 0
    modes: tuple[Mode, ...] = ()
    until_ns: int = 0
    asked_by: str = ""
    note: str = ""
    asked_ns: int = 0

    @property
    def ends_ns(self) -> int:
        """When it ends by itself; 0: it does not."""
        return self.asked_ns + FACTS_MS * _MS if self.kind is Kind.FACTS else self.until_ns

    def holds_for(self, agent: str, service: str) -> bool:
        """Whether it concerns this service of this agent."""
        return self.agent in {"", agent} and self.service in {"", service}

    def lies_within(self, agent: str, service: str) -> bool:
        """Whether everything that it concerns belongs to this audience; empty names stand for all."""
        return agent in {"", self.agent} and service in {"", self.service}

    def touches(self, agent: str, service: str) -> bool:
        """Whether something that it concerns belongs to this audience."""
        return (not agent or self.agent in {"", agent}) and (not service or self.service in {"", service})


def standing(client: Client, now_ns: int) -> list[Standing]:
    """Everything that is asked now; pauses that have ended and old requests for facts are left out."""
    return [
        Standing(
            Kind(row["kind"]),
            row["agent"],
            row["service"],
            row["codebase"],
            row["amount"],
            tuple(Mode(mode) for mode in row["modes"]),
            row["until_ms"] * _MS,
            row["asked_by"],
            row["note"],
            row["asked_us"] * _US,
        )
        for row in rows(client.query("controls", {"now_ms": now_ns // _MS, "facts_ms": FACTS_MS}))
        # A newer collector may have asked for what this one does not know.
        if row["kind"] in set(Kind)
    ]


def write(client: Client, asked: Sequence[Standing], *, active: bool) -> None:
    """Ask for these, or take them back; each replaces what was asked of the same audience before."""
    if not asked:
        return
    client.insert(
        "controls",
        {
            "kind": [one.kind.value for one in asked],
            "agent": [one.agent for one in asked],
            "service": [one.service for one in asked],
            "codebase": [one.codebase for one in asked],
            "active": [int(active)] * len(asked),
            "amount": [one.amount for one in asked],
            "modes": [[mode.value for mode in one.modes] for one in asked],
            "until": [one.until_ns // _MS for one in asked],
            "asked_by": [one.asked_by for one in asked],
            "note": [one.note for one in asked],
            "asked_at": [one.asked_ns // _US for one in asked],
        },
    )
