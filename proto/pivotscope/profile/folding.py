"""From a tool's stacks to stacks of named functions, in the order of the data.

iterators   which C frames of Ruby only drive blocks
leaf        what the native frames at the end of a stack stand for
named       drop threads, processes and native frames; fold wrappers into the function around them
merge       equal stacks become one
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from pivotscope.profile.folded import NATIVE_ONLY, WRAPPERS, Folded, FoldedStack
from pivotscope.profile.frame import Frame, RawStack
from pivotscope.profile.iterators import Iterators
from pivotscope.profile.native import Leaf, classify_leaf
from pivotscope.profile.rbspy import C_FUNCTION

_GROUP = re.compile(r"thread \((?:0x[0-9A-Fa-f]+|\d+)\)|process \d+:")
_RUBY_WRAPPER = re.compile(r"(?:(?:block|rescue|ensure)(?: \(\d+ levels\))? in )+")
_RAILS_TEMPLATE = re.compile(r"(?P<name>_\w+?)__+\d+_\d+$")  # a hash and an object's id, others in each process
_MAX_TEMPLATE_NAME = 500


def fold(stacks: Iterable[RawStack], *, settle: bool = True, iterators: Iterators | None = None) -> Folded:
    """Fold the stacks of one window. `iterators` are what earlier windows of the same code showed.

    Python before 3.11 prints `<lambda>` and `<genexpr>` without saying whose. With `settle` they go to the caller where
    that is in the same file, else to the top level; without, they stay for a resolver that knows the source.
    """
    raw = tuple(stacks)
    known = iterators or Iterators()
    known.learn(raw)
    qualified = _names_are_qualified(raw)
    counts: dict[tuple[Frame, ...], list[int]] = {}
    waiting = 0
    for stack in raw:
        leaf = _leaf(stack.frames, known)
        if leaf is Leaf.WAITING:
            waiting += stack.count
            continue
        frames = _named(stack.frames, qualified=qualified, settle=settle)
        entry = counts.setdefault(frames, [0, 0])
        entry[0] += stack.count
        entry[1] += stack.count if leaf is Leaf.NATIVE else 0
    return Folded(tuple(FoldedStack(frames, count, native) for frames, (count, native) in counts.items()), waiting)


def _is_ruby_c(frame: Frame) -> bool:
    return frame.native and frame.name.endswith(C_FUNCTION)


def _names_are_qualified(stacks: Iterable[RawStack]) -> bool:
    """Whether names carry their class and function, as py-spy's do on Python 3.11 and later."""
    return any("." in frame.name for stack in stacks for frame in stack.frames if not frame.native and frame.line)


def _leaf(frames: Sequence[Frame], iterators: Iterators) -> Leaf:
    start = len(frames)
    while start and frames[start - 1].native:
        start -= 1
    if start == len(frames):
        return Leaf.INTERPRETER
    if _is_ruby_c(frames[-1]):
        return Leaf.INTERPRETER if iterators.holds(frames, len(frames) - start) else Leaf.NATIVE
    return classify_leaf(frames[start:])


def _named(frames: Iterable[Frame], *, qualified: bool, settle: bool) -> tuple[Frame, ...]:
    named: list[Frame] = []
    for frame in frames:
        if frame.native or (not frame.path and _GROUP.match(frame.name)):
            continue
        name, wrapped = owner_name(frame.name)
        below = named[-1] if named else None
        same_file = below is not None and below.path == frame.path
        if name in WRAPPERS:
            if qualified or (settle and not same_file):
                name = "<module>"
            elif same_file and below is not None and (settle or name not in {"<lambda>", "<genexpr>"}):
                name = below.name
        if wrapped and same_file and below is not None and below.name == name:
            named[-1] = Frame(name, frame.path, frame.line or below.line)
        else:
            named.append(frame if name == frame.name else Frame(name, frame.path, frame.line))
    return tuple(named) or (NATIVE_ONLY,)


@lru_cache(maxsize=16_384)
def owner_name(name: str) -> tuple[str, bool]:
    """Name of the function that a frame's time belongs to, and whether the frame only wraps a part of it.

    `A.inner.<locals>.<genexpr>` → `A.inner`, `block (2 levels) in work` → `work`, `<top (required)>` → `<main>`. A
    wrapper in a class body belongs to what is around the class; one whose owner the name does not tell stays as it is.
    """
    if ruby := _RUBY_WRAPPER.match(name):
        inner, _ = owner_name(name[ruby.end() :])
        return inner, True
    if name.startswith("<top "):
        return "<main>", False
    if len(name) <= _MAX_TEMPLATE_NAME and (template := _RAILS_TEMPLATE.match(name)):
        return template["name"], False
    head, separator, tail = name.rpartition(".")
    if tail not in WRAPPERS:
        return name, False
    if not separator:
        return name, True
    around = head.removesuffix(".<locals>")
    if around == head:  # in a class body
        around = head.rpartition(".<locals>.")[0] or "<module>"
    return owner_name(around)[0], True
