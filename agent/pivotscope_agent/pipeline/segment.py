"""A run of records in the order of their sequences, on disk or in memory."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pivotscope_agent.pipeline import record as framing
from pivotscope_agent.pipeline.files import Files
from pivotscope_agent.pipeline.record import Record


class Segment(Protocol):
    """Records of one epoch with ascending sequences. `size` is in bytes.

    `newest_unix_ns` is when the last record was spooled, by a clock that may be set; `newest_ns` is the same moment on
    the agent's monotonic clock, kept by the spool.
    """

    sequences: "array[int]"
    size: int
    newest_unix_ns: int
    newest_ns: int
    on_disk: bool

    def append(self, record: Record) -> None:
        """Add a record behind the others. Raises OSError and is then as it was before."""

    def read(self, position: int) -> Record | None:
        """The record at a position; None when it is damaged. Raises OSError."""

    def seal(self, *, sync: bool) -> None:
        """Take no further records; with `sync`, wait until they are on the disk. Raises OSError."""

    def remove(self) -> None:
        """Give up the records and the room they take. Raises OSError."""


def positions_after(segment: Segment, sequence: int) -> Iterator[int]:
    """Positions of the records with a higher sequence."""
    return iter(range(bisect_right(segment.sequences, sequence), len(segment.sequences)))


def count_after(segment: Segment, sequence: int) -> int:
    """How many records have a higher sequence."""
    return len(segment.sequences) - bisect_right(segment.sequences, sequence)


class MemorySegment:
    """Records in memory: what remains when the disk takes none."""

    on_disk = False

    def __init__(self) -> None:
        self.sequences: array[int] = array("Q")
        self.size = 0
        self.newest_unix_ns = 0
        self.newest_ns = 0
        self._records: list[Record] = []

    def append(self, record: Record) -> None:
        """Add a record; never raises."""
        self._records.append(record)
        self.sequences.append(record.sequence)
        self.size += record.size
        self.newest_unix_ns = record.spooled_unix_ns

    def read(self, position: int) -> Record | None:
        """The record at a position."""
        return self._records[position]

    def seal(self, *, sync: bool) -> None:
        """Nothing to do: memory has no other side."""

    def remove(self) -> None:
        """Forget the records."""
        self._records.clear()


class DiskSegment:
    """Records in one append-only file. A failed append is cut off again, or ends the segment."""

    on_disk = True

    def __init__(self, path: Path, files: Files) -> None:
        self.path = path
        self.sequences: array[int] = array("Q")
        self.size = 0
        self.newest_unix_ns = 0
        self.newest_ns = 0
        self._offsets: array[int] = array("Q")
        self._files = files
        self._descriptor: int | None = None

    @classmethod
    def create(cls, folder: Path, epoch: int, first_sequence: int, files: Files) -> "DiskSegment":
        """Begin a new file, named after its first sequence. Raises OSError."""
        segment = cls(folder / f"{first_sequence:020d}.segment", files)
        segment._descriptor = files.create_append(segment.path)
        try:
            segment._write(framing.pack_header(epoch))
        except OSError:
            segment.seal(sync=False)
            files.remove(segment.path)
            raise
        return segment

    @classmethod
    def load(cls, path: Path, files: Files) -> "Loaded":
        """Read an existing file. The segment is sealed; the caller decides whether to cut the rest off. Raises OSError.

        A damaged record costs what is behind it only where its length is damaged too.
        """
        data = files.read(path)
        segment = cls(path, files)
        found = Loaded(segment, framing.unpack_header(data), len(data))
        if found.epoch is None:
            return found
        segment.size = offset = framing.HEADER_BYTES
        last = 0
        while (end := framing.frame_end(data, offset)) is not None:
            record = framing.unpack(data, offset)
            if record is not None and record.sequence > last:
                last = record.sequence
                segment._index(record, offset)
                segment.size = end
                found.damaged += found.doubtful
                found.doubtful = 0
                if record.notes:
                    found.notes.append((record.sequence, record.notes))
            else:
                found.doubtful += 1
            offset = end
        found.rest = len(data) - segment.size
        return found

    def append(self, record: Record) -> None:
        """Append a record's frame. Raises OSError; what was written of the frame is then cut off."""
        if self._descriptor is None:
            raise OSError(f"{self.path}: sealed")
        offset = self.size
        self._write(framing.pack(record))
        self._index(record, offset)

    def read(self, position: int) -> Record | None:
        """Read a record back and verify its checksum."""
        offset = self._offsets[position]
        end = self._offsets[position + 1] if position + 1 < len(self._offsets) else self.size
        return framing.unpack(self._files.read(self.path, offset, end - offset))

    def seal(self, *, sync: bool) -> None:
        """Close the file for writing."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            if sync:
                self._files.sync(descriptor)
        finally:
            self._files.close(descriptor)

    def remove(self) -> None:
        """Remove the file."""
        try:
            self.seal(sync=False)
        finally:
            self._files.remove(self.path)

    def _write(self, data: bytes) -> None:
        assert self._descriptor is not None  # noqa: S101 - callers hold an open segment
        try:
            self._files.write(self._descriptor, data)
        except OSError:
            self._files.truncate(self.path, self.size)
            raise
        self.size += len(data)

    def _index(self, record: Record, offset: int) -> None:
        self._offsets.append(offset)
        self.sequences.append(record.sequence)
        self.newest_unix_ns = record.spooled_unix_ns


@dataclass(slots=True)
class Loaded:
    """What a file holds: the segment, its epoch (None: not ours), and the bytes behind the last whole record.

    `damaged` records between whole ones are left out, `doubtful` ones are part of the rest. `notes` are those of the
    whole ones, by sequence.
    """

    segment: DiskSegment
    epoch: int | None
    rest: int
    damaged: int = 0
    doubtful: int = 0
    notes: list[tuple[int, bytes]] = field(default_factory=list)
