"""A series of numbers as a line of blocks."""

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
ABSENT = "·"


def sparkline(values: Sequence[float | None]) -> str:
    """One block a value, from 0 to the largest; a dot where there is none."""
    top = max((value for value in values if value is not None), default=0.0)
    return "".join(ABSENT if value is None else _block(value, top) for value in values)


def _block(value: float, top: float) -> str:
    if top <= 0.0:
        return BLOCKS[0]
    return BLOCKS[min(len(BLOCKS) - 1, int(value / top * len(BLOCKS)))]
