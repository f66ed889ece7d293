"""Processes that are left alone, and why."""

from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """Codes for why a process is not a target."""

    NO_PROGRAM = "no_program"
    OWN = "own"
    HELPER = "helper"
    NOT_SELECTED = "not_selected"
    OTHER_PROGRAM = "other_program"


_WORDS = {
    Why.NO_PROGRAM: "a kernel thread or an ended process",
    Why.OWN: "part of the agent",
    Why.HELPER: "only watches over resources of multiprocessing",
    Why.NOT_SELECTED: "no selector matches",
    Why.OTHER_PROGRAM: "neither Python nor Ruby",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A process that is not sampled. (`pid`, `start_ticks`) is its identity on this host."""

    pid: int
    start_ticks: int
    why: Why
    cmdline: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why, for a person."""
        return _WORDS[self.why]
