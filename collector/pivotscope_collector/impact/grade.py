"""How far a comparison carries a claim of cause."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """A: randomised. B: side by side, not randomised. C: one after the other."""

    RANDOMISED = "A"
    CONCURRENT = "B"
    SEQUENTIAL = "C"

    @property
    def meaning(self) -> str:
        """What the grade says, for a person."""
        return _MEANINGS[self]


_MEANINGS = {
    Grade.RANDOMISED: "randomised: differences are caused by the change, up to chance",
    Grade.CONCURRENT: (
        "concurrent, assignment not declared random: what moves both arms cancels, who got which arm may still differ"
    ),
    Grade.SEQUENTIAL: (
        "observational: the arms ran one after the other, and whatever else changed in between is in the difference"
    ),
}


class Claim(StrEnum):
    """What a metric's difference may be called."""

    EFFECT = "effect"
    ASSOCIATION = "association"
    OBSERVATION = "observation"


@dataclass(frozen=True, slots=True)
class Design:
    """What is known of how the arms were formed.

    `randomised`: units were assigned at random, salted and sticky. `planned` is the planned share of B, one for all or
    one a stage; empty: not given. `boundaries_ns` separate the stages of a rollout; empty: looked for in the traffic.
    `primary` is the one metric that the decision was to rest on.
    """

    randomised: bool = False
    planned: tuple[float, ...] = ()
    boundaries_ns: tuple[int, ...] = ()
    primary: str = "cpu_per_request"


def grade(*, paired: bool, randomised: bool) -> Grade:
    """The causal grade."""
    if not paired:
        return Grade.SEQUENTIAL
    return Grade.RANDOMISED if randomised else Grade.CONCURRENT


def claim(of: Grade, *, business: bool) -> Claim:
    """Business metrics are claims only where the arms were randomised."""
    if of is Grade.RANDOMISED:
        return Claim.EFFECT
    if business:
        return Claim.ASSOCIATION
    return Claim.EFFECT if of is Grade.CONCURRENT else Claim.OBSERVATION
