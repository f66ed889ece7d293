"""What a spool must remember beside its records.

Two files are written in turn and in place, so that one of them is whole whenever the agent ends, and so that the state
can be kept on a disk that is full: their room is taken when the spool is opened.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pivotscope_agent.pipeline.files import Files

NAMES = ("state.0", "state.1")
_FORMAT = 2
_RESERVED_BYTES = 32 * 1024
# Sequences handed out since the state was last written, at most: what an unclean end makes the next run skip.
UNCLEAN_GAP = 1 << 32


@dataclass(frozen=True, slots=True)
class SpoolState:
    """Sequences below `next_sequence` may have been used; those up to `acknowledged` are done with.

    `clean` says that the run before closed the spool. If not, `next_sequence` may be stale, and a
    sequence used twice for different content would make the collector drop one of the two as a repetition.
    Records up to `may_be_sent` may be stored though nobody acknowledged them. `accounts` are the ledger's, on
    the boot named, and hold the CPU of records up to `booked`. `dropped` are totals by reason, `untold` the part of
    them that no record tells of. Segments named in `gone` are done with, whether their files are still there or not.
    """

    epoch: int
    next_sequence: int = 1
    acknowledged: int = 0
    clean: bool = False
    generation: int = 0
    may_be_sent: int = 0
    booked: int = 0
    boot: str = ""
    accounts: Mapping[tuple[int, int], int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    untold: Mapping[str, int] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    def resume(self, last_on_disk: int) -> int:
        """The first sequence of a new run: surely never used before."""
        following = max(self.next_sequence, last_on_disk + 1, self.acknowledged + 1)
        return following if self.clean else following + UNCLEAN_GAP


def load(folder: Path, files: Files) -> SpoolState | None:
    """The newest whole state in a folder; None when there is none that can be understood. Raises OSError."""
    found = [state for name in NAMES if (state := _load(folder / name, files)) is not None]
    return max(found, key=lambda state: state.generation, default=None)


def reserve(folder: Path, files: Files) -> None:
    """Take the room of the state's files. Raises OSError."""
    for name in NAMES:
        files.reserve(folder / name, _RESERVED_BYTES)


def save(folder: Path, state: SpoolState, files: Files, *, sync: bool) -> None:
    """Write a state over the older of the two. Raises OSError."""
    files.overwrite(folder / NAMES[state.generation % 2], pack(state), sync=sync)


def pack(state: SpoolState) -> bytes:
    """The checksum and length of a JSON document, and the document; whatever lies behind it is older."""
    document = {
        "format": _FORMAT,
        "epoch": state.epoch,
        "next_sequence": state.next_sequence,
        "acknowledged": state.acknowledged,
        "clean": state.clean,
        "generation": state.generation,
        "may_be_sent": state.may_be_sent,
        "booked": state.booked,
        "boot": state.boot,
        "accounts": [(*key, cpu_ns) for key, cpu_ns in state.accounts.items()],
        "dropped": dict(state.dropped),
        "untold": dict(state.untold),
        "gone": state.gone,
    }
    body = json.dumps(document, separators=(",", ":")).encode()
    return b"%08x %d\n%b\n" % (zlib.crc32(body), len(body), body)


def unpack(data: bytes) -> SpoolState | None:
    """A state, or None when these bytes are torn, or of another form."""
    try:
        head, _, rest = data.partition(b"\n")
        checksum, length = head.split()
        body = rest[: int(length)]
        if len(body) != int(length) or zlib.crc32(body) != int(checksum, 16):
            return None
        document = json.loads(body)
        if document["format"] != _FORMAT:
            return None
        state = SpoolState(
            epoch=int(document["epoch"]),
            next_sequence=int(document["next_sequence"]),
            acknowledged=int(document["acknowledged"]),
            clean=document["clean"] is True,
            generation=int(document["generation"]),
            may_be_sent=int(document["may_be_sent"]),
            booked=int(document["booked"]),
            boot=str(document["boot"]),
            accounts={(int(pid), int(start)): int(cpu) for pid, start, cpu in document["accounts"]},
            dropped={str(reason): int(amount) for reason, amount in document["dropped"].items()},
            untold={str(reason): int(amount) for reason, amount in document["untold"].items()},
            gone=tuple(map(str, document["gone"])),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return state if state.epoch > 0 and state.next_sequence > 0 and state.acknowledged >= 0 else None


def _load(path: Path, files: Files) -> SpoolState | None:
    try:
        return unpack(files.read(path))
    except FileNotFoundError:
        return None
