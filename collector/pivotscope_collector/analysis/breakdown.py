"""Where the time of a profile goes: the one form that stacks and call graphs are brought into."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pivotscope.profile.function import Function
from pivotscope.profile.language import Language


@dataclass(slots=True)
class Spent:
    """What a function used, in the profile's own unit.

    `own` is time in the function itself, `total` also what it called (recursion once). `native` is the part of the
    total that was machine code. `beneath` says where the rest of the total was spent.
    `overhead` is the most that the profiler itself may have added to the total, `own_overhead` to `own`.
    """

    own: float = 0.0
    total: float = 0.0
    native: float = 0.0
    beneath: dict[Function, float] = field(default_factory=dict)
    overhead: float = 0.0
    own_overhead: float = 0.0
    calls: float | None = None
    callers: set[Function] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A profile, broken down. `whole` is all its time without waiting; the unit is samples or seconds.

    `observations` is how many samples were taken, or how many calls a deterministic profiler timed. `seconds` is
    the time observed, 0 where the format does not tell.
    """

    file: str
    tool: str
    language: Language
    whole: float
    overhead: float
    spent: Mapping[Function, Spent]
    observations: int
    deterministic: bool
    native_known: bool
    seconds: float
    notes: tuple[str, ...] = ()
