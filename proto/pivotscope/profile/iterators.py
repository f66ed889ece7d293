"""Which C functions of Ruby only drive blocks."""

from collections.abc import Iterable, Sequence

from pivotscope.profile.frame import Frame, RawStack
from pivotscope.profile.rbspy import C_FUNCTION


class Iterators:
    """C functions of Ruby that were seen calling back into Ruby, by where they are called.

    `times`, `each` and `map` are C functions, but time found in them is the block's plumbing and goes away with it.
    rbspy cannot name them; what tells them from a C function that works is that a Ruby frame of some file was seen
    above the same call. A short block is seldom caught, so what one window showed is worth remembering for the next:
    pass the same object to `fold` for windows of the same code. At most about `limit` calls are remembered.
    """

    def __init__(self, *, limit: int = 50_000) -> None:
        self._calls: set[tuple[Frame | None, int]] = set()
        self._limit = limit

    def learn(self, stacks: Iterable[RawStack]) -> None:
        """Note every C frame below a Ruby frame: the frame that called it, and how many C frames are between."""
        if len(self._calls) >= self._limit:
            self._calls.clear()
        for stack in stacks:
            caller: Frame | None = None
            run = 0
            for frame in stack.frames:
                if frame.native:
                    run += frame.name.endswith(C_FUNCTION)
                    continue
                if run and frame.path:
                    self._calls.update((caller, depth) for depth in range(1, run + 1))
                caller, run = frame, 0

    def holds(self, frames: Sequence[Frame], run: int) -> bool:
        """Whether the last of these frames, the end of a run of `run` C frames, is a call that was noted."""
        caller = frames[-run - 1] if run < len(frames) else None
        return (caller, run) in self._calls
