"""Gzipped protobuf of pprof, as `rbspy record -o pprof` writes it.

The few messages needed are decoded by hand: the format is protobuf's wire encoding of perftools.profiles.Profile, whose
field numbers stand below. Where a sample type counts samples it is taken, else each entry counts one.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from pivotscope.profile.calls import SampledProfile
from pivotscope.profile.errors import ProfileFormatError
from pivotscope.profile.frame import Frame, RawStack
from pivotscope.profile.language import Language
from pivotscope.profile.native import is_native_location
from pivotscope.profile.rbspy import C_FUNCTION, ruby_frame

TOOL = "pprof"
_MAX_BYTES = 128 << 20
_SAMPLE_TYPE, _SAMPLE, _LOCATION, _FUNCTION, _STRING = 1, 2, 4, 5, 6

_Field = tuple[int, int | bytes]


@dataclass(slots=True)
class _Tables:
    """The parts of a Profile that refer to each other."""

    strings: list[str] = field(default_factory=list)
    sample_units: list[int] = field(default_factory=list)
    samples: list[tuple[list[int], list[int]]] = field(default_factory=list)
    locations: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    functions: dict[int, tuple[int, int]] = field(default_factory=dict)

    def text(self, index: int) -> str:
        if not 0 <= index < len(self.strings):
            raise ProfileFormatError(TOOL, f"text {index} of {len(self.strings)} is not there")
        return self.strings[index]


def decompress(data: bytes) -> bytes:
    """Unpack gzip, at most 128 MiB of it."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(data, _MAX_BYTES)
    except zlib.error as error:
        raise ProfileFormatError(TOOL, f"not readable as gzip: {error}") from error
    if unpacker.unconsumed_tail:
        raise ProfileFormatError(TOOL, f"unpacks to more than {_MAX_BYTES >> 20} MiB")
    if not unpacker.eof:
        raise ProfileFormatError(TOOL, "the gzip data is cut off")
    return content


def parse_pprof(data: bytes) -> SampledProfile:
    """Parse a gzipped profile; equal stacks are made one, in order of first sight."""
    tables = _tables(decompress(data))
    language = _language(tables)
    frames = {location: _frames(tables, lines, language) for location, lines in tables.locations.items()}
    column = next((n for n, unit in enumerate(tables.sample_units) if tables.text(unit) in {"count", "samples"}), -1)
    counts: dict[tuple[Frame, ...], int] = {}
    for locations, values in tables.samples:
        if column >= len(values):
            raise ProfileFormatError(TOOL, f"a sample has {len(values)} values for {len(tables.sample_units)} types")
        stack: list[Frame] = []
        for location in reversed(locations):  # pprof lists the leaf first
            if location not in frames:
                raise ProfileFormatError(TOOL, f"location {location} is not there")
            stack += frames[location]
        count = values[column] if column >= 0 else 1
        if stack and 0 < count < 2**63:
            counts[tuple(stack)] = counts.get(tuple(stack), 0) + count
    return SampledProfile(TOOL, language, tuple(RawStack(stack, count) for stack, count in counts.items()))


def _tables(content: bytes) -> _Tables:
    tables = _Tables()
    for number, value in _fields(content):
        if number == _STRING:
            tables.strings.append(_bytes(value).decode("utf-8", "surrogateescape"))
        elif number == _SAMPLE_TYPE:
            tables.sample_units.append(_one(_bytes(value), 2))
        elif number == _SAMPLE:
            tables.samples.append((_many(_bytes(value), 1), _many(_bytes(value), 2)))
        elif number == _LOCATION:
            lines = [(_one(line, 1), _one(line, 2)) for n, line in _fields(_bytes(value)) if n == 4 and _bytes(line)]
            tables.locations[_one(_bytes(value), 1)] = lines
        elif number == _FUNCTION:
            tables.functions[_one(_bytes(value), 1)] = (_one(_bytes(value), 2), _one(_bytes(value), 4))
    return tables


def _language(tables: _Tables) -> Language:
    ruby = any(text.endswith((".rb", C_FUNCTION)) for text in tables.strings)
    return Language.RUBY if ruby else Language.PYTHON


def _frames(tables: _Tables, lines: list[tuple[int, int]], language: Language) -> list[Frame]:
    """Frames of a location, root first; several where calls were inlined."""
    frames = []
    for function, line in reversed(lines):
        if function not in tables.functions:
            raise ProfileFormatError(TOOL, f"function {function} is not there")
        name, path = map(tables.text, tables.functions[function])
        number = line if 0 < line < 2**31 else 0
        if language is Language.RUBY:
            frames.append(ruby_frame(name, path, number))
        else:
            frames.append(Frame(name, path, number, is_native_location(name, path, has_line=number != 0)))
    return frames


def _fields(message: bytes) -> Iterator[_Field]:
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == 0:
            value, position = _varint(message, position)
            yield tag >> 3, value
            continue
        size = {1: 8, 5: 4}.get(kind, -1)
        if kind == 2:
            size, position = _varint(message, position)
        if size < 0 or position + size > len(message):
            raise ProfileFormatError(TOOL, f"not a profile: a field of wire type {kind} does not fit")
        yield tag >> 3, message[position : position + size]
        position += size


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise ProfileFormatError(TOOL, "cut off within a number")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ProfileFormatError(TOOL, "a number is longer than 64 bits")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ProfileFormatError(TOOL, "not a profile: a number stands where a message should")
    return value


def _one(message: int | bytes, number: int) -> int:
    """Value of a number field, 0 where it is left out, as protobuf does with defaults."""
    values = [value for field_number, value in _fields(_bytes(message)) if field_number == number]
    return values[-1] if values and isinstance(values[-1], int) else 0


def _many(message: bytes, number: int) -> list[int]:
    """Values of a repeated number field, packed or not."""
    values: list[int] = []
    for field_number, value in _fields(message):
        if field_number != number:
            continue
        if isinstance(value, int):
            values.append(value)
            continue
        position = 0
        while position < len(value):
            item, position = _varint(value, position)
            values.append(item)
    return values
