"""Output of `rbspy record -o collapsed`: one line a distinct stack, frames root first, then the count.

    <main> - /srv/shop/app.rb:32;block in work - /srv/shop/app.rb:8;(unknown) [c function] - (unknown) 12

C functions have no name here, code that ships inside the interpreter has the path `unknown`.
"""

from functools import lru_cache

from pivotscope.profile.errors import ProfileFormatError, excerpt
from pivotscope.profile.frame import Frame, RawStack

TOOL = "rbspy collapsed"
C_FUNCTION = "[c function]"
_NOWHERE = frozenset({"unknown", "(unknown)"})
_MAX_PIECES = 1_000  # of one frame whose path holds semicolons


def parse_rbspy(text: str) -> tuple[RawStack, ...]:
    """Parse collapsed output, in its order. Blank lines are skipped; any other line must be frames and a count."""
    stacks = []
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.rstrip("\r")
        if not stripped:
            continue
        frames, separator, count = stripped.rpartition(" ")
        if not separator or not (count.isascii() and count.isdigit()) or len(count) > 18:
            raise ProfileFormatError(TOOL, f"expected 'frame;frame COUNT', found {excerpt(stripped)}", line=number)
        stacks.append(RawStack(_frames(frames, number), int(count)))
    return tuple(stacks)


def is_collapsed(line: str) -> bool:
    """Whether a line of text begins like rbspy's."""
    first, _, rest = line.partition(";")
    return _frame(first if rest else first.rpartition(" ")[0]) is not None


def ruby_frame(name: str, path: str, line: int) -> Frame:
    """A frame as rbspy names it in any of its formats; code inside the interpreter has no path in either."""
    if name.endswith(C_FUNCTION):
        return Frame(name, "", 0, native=True)
    inside = path in _NOWHERE or (path.startswith("<internal:") and not path.startswith("<internal:/"))
    return Frame(name, "" if inside else path, line)


def _frames(text: str, number: int) -> tuple[Frame, ...]:
    frames = []
    pending: list[str] = []
    for piece in text.split(";"):
        pending.append(piece)
        frame = _frame(";".join(pending)) if len(pending) > 1 else _frame(piece)
        if frame:
            frames.append(frame)
            pending.clear()
        elif len(pending) > _MAX_PIECES:
            break
    if pending or not frames:
        raise ProfileFormatError(TOOL, f"expected 'name - path:line', found {excerpt(';'.join(pending))}", line=number)
    return tuple(frames)


@lru_cache(maxsize=16_384)
def _frame(text: str) -> Frame | None:
    """The frame that `text` prints; None where it is not whole (a path may hold semicolons)."""
    name, _, location = text.partition(" - ")
    if location in _NOWHERE:
        return ruby_frame(name, location, 0)
    path, _, line = location.rpartition(":")
    if not path or not (line.isascii() and line.isdigit()) or len(line) > 9:
        return None
    return ruby_frame(name, path, int(line))
