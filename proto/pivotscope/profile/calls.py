"""Profiles of deterministic profilers, which count calls instead of taking samples."""

from dataclasses import dataclass
from enum import StrEnum

from pivotscope.profile.frame import Frame, RawStack
from pivotscope.profile.language import Language


class Clock(StrEnum):
    """What the seconds of a profile are. WALL includes waiting: it bounds CPU from above."""

    WALL = "wall"
    CPU = "cpu"


@dataclass(frozen=True, slots=True)
class CallEdge:
    """What one caller caused in a function: calls, and seconds in the function itself and below it."""

    caller: Frame
    calls: int
    self_seconds: float
    total_seconds: float


@dataclass(frozen=True, slots=True)
class CallFunction:
    """A function, named by a frame whose line is that of its definition (0 unknown).

    `total_seconds` counts a recursive function once. `primitive_calls` leaves recursive calls out. `callers` are empty
    where the profile does not tell them.
    """

    frame: Frame
    calls: int
    primitive_calls: int
    self_seconds: float
    total_seconds: float
    callers: tuple[CallEdge, ...] = ()


@dataclass(frozen=True, slots=True)
class CallProfile:
    """All functions of one run, and the seconds that it took."""

    tool: str
    language: Language
    clock: Clock
    total_seconds: float
    functions: tuple[CallFunction, ...]


@dataclass(frozen=True, slots=True)
class SampledProfile:
    """Stacks that a sampler recorded to a file."""

    tool: str
    language: Language
    stacks: tuple[RawStack, ...]
