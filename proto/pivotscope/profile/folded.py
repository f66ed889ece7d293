"""Stacks after folding: only frames that can have an identity."""

from dataclasses import dataclass

from pivotscope.profile.frame import Frame

NATIVE_ONLY = Frame("[native]", native=True)
"""Stands for a stack that has machine code only."""

WRAPPERS = frozenset({"<lambda>", "<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"})
"""Python's names for code without a name of its own; it belongs to the function around it."""


@dataclass(frozen=True, slots=True)
class FoldedStack:
    """Frames of named functions, root first; at least one.

    `native` of the `count` samples had their leaf in native code on behalf of the last frame.
    """

    frames: tuple[Frame, ...]
    count: int
    native: int = 0


@dataclass(frozen=True, slots=True)
class Folded:
    """What a window's stacks fold to. `waiting` samples stood in a blocking system call and are left out."""

    stacks: tuple[FoldedStack, ...]
    waiting: int = 0
