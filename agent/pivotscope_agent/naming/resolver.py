"""From folded stacks to samples of functions."""

from collections.abc import Iterable
from dataclasses import dataclass

from pivotscope.profile.folded import WRAPPERS, FoldedStack
from pivotscope.profile.frame import Frame
from pivotscope.profile.function import Function
from pivotscope.profile.iterators import Iterators
from pivotscope.profile.language import Language
from pivotscope.profile.window import Sample
from pivotscope.source.names import TOP_LEVEL, FileNames

from pivotscope_agent.naming.roots import Roots


@dataclass(slots=True)
class _Tally:
    """A sample while it is added up."""

    stack: tuple[Function, ...]
    line: int
    count: int = 0
    native: int = 0


class Resolver:
    """Names the functions of one process, or of several that run the same code in the same place.

    A function must have the same name in every window, and only its source tells it in full. So a window whose
    `pending_files` is not empty is held back: ask for the facts of these files, pass each answer to `learn` (None where
    a file could not be read, or no answer came in time), then resolve. Each file is asked for once, so only the first
    windows wait. Fold with `settle=False`: what lambdas and generator expressions belong to is settled here.

    Memory is bounded: beyond `max_functions` distinct frames the cache starts anew with the next window. `iterators`
    are the calls of Ruby's C iterators that windows of this code have shown: pass them to `fold`.
    """

    def __init__(self, roots: Roots, language: Language, *, max_functions: int = 50_000) -> None:
        self.iterators = Iterators()
        self._roots = roots
        self._language = language
        self._max_functions = max_functions
        self._names: dict[str, FileNames | None] = {}
        self._functions: dict[Frame, Function] = {}
        self._identities: dict[Function, Function] = {}

    def pending_files(self, stacks: Iterable[FoldedStack]) -> tuple[str, ...]:
        """Application files in these stacks that nothing is known about: absolute paths, as the process sees them."""
        paths = dict.fromkeys(frame.path for stack in stacks for frame in stack.frames)
        files = dict.fromkeys(self._roots.locate(path).file for path in paths)
        return tuple(file for file in files if file and file not in self._names)

    def learn(self, file: str, names: FileNames | None) -> None:
        """Take the names of a file; None says that there are none to be had and the tool's own names stand."""
        self._names[file] = names
        self._functions.clear()

    def resolve(self, stacks: Iterable[FoldedStack], *, drop_waiting: bool = False) -> tuple[Sample, ...]:
        """Samples of functions, those of the same stack and leaf line made one, in order of first sight.

        With `drop_waiting` threads are left out that are in the native code of a method that waits: in its active mode
        rbspy shows the thread that held the lock last, whatever it does since.
        """
        self._forget_beyond_limit()
        counts: dict[tuple[int, ...], _Tally] = {}
        for stack in stacks:
            waiting = self._waiting(stack) if drop_waiting else 0
            if waiting == stack.count:
                continue
            functions = self._stack(stack.frames)
            line = stack.frames[-1].line
            # Equal functions are one object here, and hashing numbers is far cheaper than hashing functions.
            tally = counts.setdefault((line, *map(id, functions)), _Tally(functions, line))
            tally.count += stack.count - waiting
            tally.native += stack.native - waiting
        return tuple(Sample(tally.stack, tally.line, tally.count, tally.native) for tally in counts.values())

    def _waiting(self, stack: FoldedStack) -> int:
        """Samples in native code beneath a function that calls a method that waits."""
        leaf = stack.frames[-1]
        if not stack.native:
            return 0
        names = self._names.get(self._roots.locate(leaf.path).file)
        return stack.native if names is not None and names.waits_at(leaf.line) else 0

    def _forget_beyond_limit(self) -> None:
        """Between windows only, so that within one equal functions stay one object."""
        if len(self._functions) > self._max_functions:
            self._functions.clear()
            self._identities.clear()

    def _stack(self, frames: tuple[Frame, ...]) -> tuple[Function, ...]:
        functions: list[Function] = []
        for frame in frames:
            function = self._unowned(frame, functions) if frame.name in WRAPPERS else self._function(frame)
            if functions and functions[-1] is function and self._is_part(frame, function):
                continue
            functions.append(function)
        return tuple(functions)

    def _is_part(self, frame: Frame, function: Function) -> bool:
        """Whether a frame is a part of the function below it, not a call of itself."""
        return frame.name in WRAPPERS or function.qualified_name == TOP_LEVEL[self._language]

    def _function(self, frame: Frame) -> Function:
        function = self._functions.get(frame)
        if function is None:
            location = self._roots.locate(frame.path)
            names = self._names.get(location.file)
            name = names.resolve(frame.name, frame.line) if names else frame.name
            function = self._identity(Function(location.codebase, self._language, location.path, name, location.owner))
            self._functions[frame] = function
        return function

    def _unowned(self, frame: Frame, below: list[Function]) -> Function:
        """A lambda or generator expression without an owner: by its line, else its caller in the same file."""
        location = self._roots.locate(frame.path)
        if self._names.get(location.file):
            return self._function(frame)
        top = TOP_LEVEL[self._language]
        caller = below[-1] if below else None
        same_file = caller is not None and (caller.codebase, caller.path) == (location.codebase, location.path)
        name = caller.qualified_name if caller is not None and same_file else top
        return self._identity(Function(location.codebase, self._language, location.path, name, location.owner))

    def _identity(self, function: Function) -> Function:
        """One object for equal functions, so that comparing and hashing stacks stays cheap."""
        return self._identities.setdefault(function, function)
