"""What a spool must remember beside its records: its epoch, and how far sequences and acknowledgements went."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pivotscope_agent.pipeline.files import Files

NAME = "state.json"
_FORMAT = 1
# Sequences handed out since the state was last written, at most: what an unclean end makes the next run skip.
UNCLEAN_GAP = 1 << 32


@dataclass(frozen=True, slots=True)
class SpoolState:
    """Sequences below `next_sequence` may have been used; those up to `acknowledged` are done with.

    `clean` says that the run before closed the spool. If not, `next_sequence` may be stale, and a
    sequence used twice for different content would make the collector drop one of the two as a repetition.
    """

    epoch: int
    next_sequence: int = 1
    acknowledged: int = 0
    clean: bool = False

    def resume(self, last_on_disk: int) -> int:
        """The first sequence of a new run: surely never used before."""
        following = max(self.next_sequence, last_on_disk + 1, self.acknowledged + 1)
        return following if self.clean else following + UNCLEAN_GAP


def load(folder: Path, files: Files) -> SpoolState | None:
    """The state in a folder; None when there is none that can be understood. Raises OSError."""
    try:
        document = json.loads(files.read(folder / NAME))
        if document["format"] != _FORMAT:
            return None
        state = SpoolState(
            epoch=int(document["epoch"]),
            next_sequence=int(document["next_sequence"]),
            acknowledged=int(document["acknowledged"]),
            clean=document["clean"] is True,
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return state if state.epoch > 0 and state.next_sequence > 0 and state.acknowledged >= 0 else None


def save(folder: Path, state: SpoolState, files: Files, *, sync: bool) -> None:
    """Write the state in one step. Raises OSError."""
    document = {"format": _FORMAT, **asdict(state)}
    files.replace(folder / NAME, json.dumps(document).encode(), sync=sync)
