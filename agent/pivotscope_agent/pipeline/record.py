"""How a record lies on disk: framing with length and checksum. Pure.

A segment file is a header and frames behind each other, all little-endian:

    header   magic "PVSG"   format u32   epoch u64
    frame    length u32     crc32 u32    sequence u64   spooled_unix_ns i64   definitions_length u32   body

`length` is that of the body: the Definitions message followed by the Batch message. The checksum covers
everything behind it. So a frame that a crash or a lost page tore is recognised and ends the segment.
"""

import struct
import zlib
from dataclasses import dataclass

MAGIC = b"PVSG"
FORMAT = 1
MAX_BODY_BYTES = 64 * 1024 * 1024

_HEADER = struct.Struct("<4sIQ")
_PREFIX = struct.Struct("<II")
_FIELDS = struct.Struct("<QqI")
HEADER_BYTES = _HEADER.size
FRAME_BYTES = _PREFIX.size + _FIELDS.size


@dataclass(frozen=True, slots=True)
class Record:
    """One batch with the definitions it needs, serialised. `sequence` names it within the epoch."""

    sequence: int
    spooled_unix_ns: int
    definitions: bytes
    batch: bytes

    @property
    def size(self) -> int:
        """Bytes that the record takes in a segment."""
        return FRAME_BYTES + len(self.definitions) + len(self.batch)


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
    fields = _FIELDS.pack(record.sequence, record.spooled_unix_ns, len(record.definitions))
    body_length = len(record.definitions) + len(record.batch)
    checksum = zlib.crc32(record.batch, zlib.crc32(record.definitions, zlib.crc32(fields)))
    return b"".join((_PREFIX.pack(body_length, checksum), fields, record.definitions, record.batch))


def unpack(data: bytes, offset: int = 0) -> Record | None:
    """The record whose frame starts at `offset`, or None when it is torn or damaged."""
    start = offset + FRAME_BYTES
    if len(data) < start:
        return None
    length, checksum = _PREFIX.unpack_from(data, offset)
    if length > MAX_BODY_BYTES or len(data) < start + length:
        return None
    end = start + length
    if zlib.crc32(memoryview(data)[offset + _PREFIX.size : end]) != checksum:
        return None
    sequence, spooled, definitions_length = _FIELDS.unpack_from(data, offset + _PREFIX.size)
    middle = start + definitions_length
    if middle > end:
        return None
    return Record(sequence, spooled, data[start:middle], data[middle:end])
