"""Output of `py-spy record -f raw`: one line a distinct stack, frames root first, then the count.

    <module> (/srv/shop/app.py:39);A.inner (/srv/shop/app.py:8) 12

With `--native` the frames of shared objects stand among them (`deflate (/usr/lib/libz.so.1)`, `zlib_compress
(/build/Modules/zlibmodule.c:374)`), with `--threads` and `--subprocesses` a frame for the thread and for each process.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from pivotscope.profile.errors import ProfileFormatError, excerpt
from pivotscope.profile.frame import Frame, RawStack
from pivotscope.profile.native import is_native_location

TOOL = "py-spy raw"
_MAX_JOINED = 1_000  # pieces of a line whose names and paths hold semicolons
_THREAD = re.compile(r"thread \((?:0x[0-9A-Fa-f]+|\d+)\)")
_PROCESS = re.compile(r'process \d+:"')
_SUMMARY = re.compile(r"Samples: (\d+) Errors: (\d+)")
_LATE = re.compile(r"(\d+(?:\.\d+)?)s behind in sampling")


@dataclass(frozen=True, slots=True)
class PySpySummary:
    """What py-spy says when it ends. `samples` counts stacks of threads, not ticks.

    `late` is how often it warned of being behind, `behind_seconds` the worst of these. None where it did not say.
    """

    samples: int | None
    errors: int | None
    late: int
    behind_seconds: float


def parse_pyspy(text: str) -> tuple[RawStack, ...]:
    """Parse raw output, in its order.

    Blank lines are skipped, and a count without frames: a thread that had no Python frame yet, or none any more. Any
    other line without a count is an error.
    """
    stacks = []
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.rstrip("\r")
        if not stripped:
            continue
        frames, separator, count = stripped.rpartition(" ")
        if not separator or not (count.isascii() and count.isdigit()) or len(count) > 18:
            raise ProfileFormatError(TOOL, f"expected 'frame;frame COUNT', found {excerpt(stripped)}", line=number)
        if frames:
            stacks.append(RawStack(_frames(frames, number), int(count)))
    return tuple(stacks)


def parse_summary(text: str) -> PySpySummary:
    """Read the closing line and the warnings from what py-spy wrote to the terminal."""
    closing = _SUMMARY.search(text)
    behind = [float(seconds) for seconds in _LATE.findall(text)]
    return PySpySummary(
        samples=int(closing[1]) if closing else None,
        errors=int(closing[2]) if closing else None,
        late=len(behind),
        behind_seconds=max(behind, default=0.0),
    )


def _frames(text: str, number: int) -> tuple[Frame, ...]:
    pieces = text.split(";")
    frames = [_whole_frame(piece) for piece in pieces]
    if None in frames:
        return tuple(_whole_frame(piece) or Frame(piece) for piece in _rejoin(pieces, number))
    return tuple(frame for frame in frames if frame is not None)


def _complete(piece: str) -> bool:
    return piece.endswith(")") and " (" in piece and not _is_group(piece)


def _is_group(piece: str) -> bool:
    """Whether a frame stands for a thread or a process; a function may be called `process` too."""
    return piece.startswith(("thread (", "process ")) and bool(_THREAD.match(piece) or _PROCESS.match(piece))


def _rejoin(pieces: list[str], number: int) -> list[str]:
    """Put names and paths together again that hold semicolons themselves."""
    whole: list[str] = []
    closing = ""  # what ends the frame that is open, "" where none is
    joined = 0
    for piece in pieces:
        if joined > _MAX_JOINED:
            raise ProfileFormatError(TOOL, f"more than {_MAX_JOINED} semicolons within names and paths", line=number)
        if closing:
            whole[-1] += ";" + piece
            joined += 1
            closing = "" if piece.endswith(closing) else closing
        elif _PROCESS.match(piece):
            whole.append(piece)
            closing = "" if piece.endswith('"') and piece.count('"') > 1 else '"'
        elif _THREAD.match(piece) or _complete(piece):
            whole.append(piece)
        elif " (" in piece:
            whole.append(piece)
            closing = ")"
        elif whole and (_THREAD.match(whole[-1]) or piece.endswith(")")):
            whole[-1] += ";" + piece
            joined += 1
        elif piece:
            whole.append(piece)
        else:
            raise ProfileFormatError(TOOL, "a frame is empty between two semicolons", line=number)
    if closing:
        problem = f"the frame {excerpt(whole[-1])} is not closed by {closing!r}"
        raise ProfileFormatError(TOOL, problem, line=number)
    return whole


@lru_cache(maxsize=16_384)
def _whole_frame(text: str) -> Frame | None:
    """The frame that `text` prints; None where it is a part of one, or stands for a thread or a process."""
    if not _complete(text):
        return None
    split = text.rfind(" (") if "::" in text else text.find(" (")
    name, location = text[:split], text[split + 2 : -1]
    path, separator, line = location.rpartition(":")
    if not separator or not (line.isascii() and line.isdigit()) or len(line) > 9:
        path, line = location, "0"
    return Frame(name, path, int(line), is_native_location(name, path, has_line=line != "0"))
