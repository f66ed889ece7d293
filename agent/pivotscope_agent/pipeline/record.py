"""How a record lies on disk: framing with length and checksum. Pure.

A segment file is a header and frames behind each other, all little-endian:

    header   magic "PVSG"   format u32   epoch u64
    frame    length u32     crc32 u32    sequence u64   spooled_unix_ns i64   definitions_length u32
             notes_length u32   body

`length` is that of the body: the Definitions message, the notes and the Batch message. The checksum covers
everything behind it. So a frame that a crash or a lost page tore is recognised and ends the segment.
"""

import struct
import zlib
from dataclasses import dataclass

MAGIC = b"PVSG"
FORMAT = 2
MAX_BODY_BYTES = 64 * 1024 * 1024

_HEADER = struct.Struct("<4sIQ")
_PREFIX = struct.Struct("<II")
_FIELDS = struct.Struct("<QqII")
HEADER_BYTES = _HEADER.size
FRAME_BYTES = _PREFIX.size + _FIELDS.size


@dataclass(frozen=True, slots=True)
class Record:
    """One batch with the definitions it needs, serialised. `sequence` names it within the epoch.

    `notes` are the agent's own; they are not sent.
    """

    sequence: int
    spooled_unix_ns: int
    definitions: bytes
    batch: bytes
    notes: bytes = b""

    @property
    def size(self) -> int:
        """Bytes that the record takes in a segment."""
        return FRAME_BYTES + len(self.definitions) + len(self.notes) + len(self.batch)


def pack_header(epoch: int) -> bytes:
    """The first bytes of a segment."""
    return _HEADER.pack(MAGIC, FORMAT, epoch)


def unpack_header(data: bytes) -> int | None:
    """Epoch of a segment, or None when these are not the first bytes of one that this version reads."""
    if len(data) < HEADER_BYTES:
        return None
    magic, version, epoch = _HEADER.unpack_from(data)
    return int(epoch) if magic == MAGIC and version == FORMAT else None


def pack(record: Record) -> bytes:
    """The frame of a record."""
    parts = (record.definitions, record.notes, record.batch)
    fields = _FIELDS.pack(record.sequence, record.spooled_unix_ns, len(record.definitions), len(record.notes))
    checksum = zlib.crc32(fields)
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    return b"".join((_PREFIX.pack(sum(map(len, parts)), checksum), fields, *parts))


def unpack(data: bytes, offset: int = 0) -> Record | None:
    """The record whose frame starts at `offset`, or None when it is torn or damaged."""
    end = frame_end(data, offset)
    if end is None:
        return None
    _, checksum = _PREFIX.unpack_from(data, offset)
    if zlib.crc32(memoryview(data)[offset + _PREFIX.size : end]) != checksum:
        return None
    sequence, spooled, definitions_length, notes_length = _FIELDS.unpack_from(data, offset + _PREFIX.size)
    start = offset + FRAME_BYTES
    notes = start + definitions_length
    batch = notes + notes_length
    if batch > end:
        return None
    return Record(sequence, spooled, data[start:notes], data[batch:end], data[notes:batch])


def frame_end(data: bytes, offset: int) -> int | None:
    """Where the frame at `offset` ends if its length is to be believed; None when that is behind the data."""
    start = offset + FRAME_BYTES
    if len(data) < start:
        return None
    length, _ = _PREFIX.unpack_from(data, offset)
    end = start + int(length)
    return end if length <= MAX_BODY_BYTES and end <= len(data) else None
