"""One line of a stack, as a profiler printed it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame before identity is known.

    `path` is what the tool printed: absolute, relative, or empty where it named no file. `line` is
    1-based, 0 where unknown. `native` frames are machine code: a C function of rbspy without a
    name, or a frame of a shared object that `py-spy --native` found (then `path` is the object).
    """

    name: str
    path: str = ""
    line: int = 0
    native: bool = False


@dataclass(frozen=True, slots=True)
class RawStack:
    """Frames, root first, and how many samples saw exactly these."""

    frames: tuple[Frame, ...]
    count: int
