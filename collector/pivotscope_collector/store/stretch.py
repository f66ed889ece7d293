"""Stretches of time, and ranges cut into them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pivotscope_collector.store.selection import DAY, HOUR, MINUTE

_SIZES = (256 * DAY, 64 * DAY, 16 * DAY, 4 * DAY, DAY, 6 * HOUR, HOUR, 15 * MINUTE, 5 * MINUTE, MINUTE)
"""Each holds a few of the next: a range has few pieces, and most of them are those of the range a minute later."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` to before `end`, in unix seconds; multiples of a minute."""

    start: int
    end: int

    def __contains__(self, moment: int) -> bool:
        """Whether a moment is in it."""
        return self.start <= moment < self.end


def pieces(since: int, until: int) -> Iterator[Stretch]:
    """The range in stretches of these sizes that begin at multiples of them; the largest that fit, in order."""
    while since < until:
        size = next(size for size in _SIZES if since % size == 0 and since + size <= until)
        yield Stretch(since, since + size)
        since += size


def steps(since: int, until: int, step: int) -> Iterator[Stretch]:
    """The range in steps that begin at multiples of `step`, the first and the last cut to the range; in order."""
    for start in range(since // step * step, until, step):
        yield Stretch(max(since, start), min(until, start + step))


def joined(parts: Sequence[Stretch]) -> list[Stretch]:
    """The same time in as few stretches as it takes; parts in order."""
    found: list[Stretch] = []
    for part in parts:
        if found and found[-1].end == part.start:
            found[-1] = Stretch(found[-1].start, part.end)
        else:
            found.append(part)
    return found
