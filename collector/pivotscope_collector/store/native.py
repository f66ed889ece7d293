"""ClickHouse's Native format: columns of numbers without a Python object a value on either way.

A block is the count of columns and rows, then each column: name, type, values in the machine's order of bytes
(little-endian). Format: clickhouse.com/docs/interfaces/formats/Native.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_NUMBERS = {
    "UInt8": "<u1", "UInt16": "<u2", "UInt32": "<u4", "UInt64": "<u8", "Int64": "<i8", "Float32": "<f4",
    "Float64": "<f8", "DateTime": "<u4", "DateTime64": "<i8",
}  # fmt: skip
_KEYED = "LowCardinality(String)"
_KEYS_AND_DICTIONARY = 1 << 9 | 1 << 10
"""Flags of a LowCardinality column: its keys follow, and they replace those of blocks before."""


@dataclass(frozen=True, slots=True)
class Ragged:
    """An array column: `ends[i]` is where the values of row i end in `values`."""

    ends: NDArray[np.uint64]
    values: Array

    def __len__(self) -> int:
        return len(self.ends)


@dataclass(frozen=True, slots=True)
class Coded:
    """A text column: row i is `keys[codes[i]]`; keys are distinct."""

    keys: Sequence[str]
    codes: Array

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Array) -> "Coded":
        """These rows."""
        return Coded(self.keys, self.codes[rows])


Column = Array | Ragged | Coded | Sequence[Any]


def code(values: Iterable[str]) -> Coded:
    """Texts as numbers of distinct texts."""
    numbers: dict[str, int] = {}
    codes = [numbers.setdefault(value, len(numbers)) for value in values]
    return Coded(list(numbers), np.array(codes, np.uint32))


def encode(columns: Mapping[str, Column], types: Mapping[str, str]) -> bytes:
    """One block; `types` are the table's, by column. Raises TypeError for one of a type that no table of ours has.

    Those are numbers, times, (LowCardinality) strings, and arrays and maps of them.
    """
    rows = max(map(len, columns.values()))
    parts = [_varint(len(columns)), _varint(rows)]
    for name, column in columns.items():
        kind = types[name]
        parts += (_text(name), _text(kind), _prefix(kind), _body(column, kind))
    return b"".join(parts)


def decode(data: bytes) -> dict[str, Array | Ragged | Coded]:
    """Columns of numbers, arrays of numbers and texts, over all blocks of an answer; nothing for one without blocks."""
    found: dict[str, list[Array | Ragged | Coded]] = {}
    position = 0
    while position < len(data):
        columns, position = _read_varint(data, position)
        rows, position = _read_varint(data, position)
        for _ in range(columns):
            name, position = _read_text(data, position)
            kind, position = _read_text(data, position)
            column, position = _read_column(data, position, kind, rows)
            found.setdefault(name, []).append(column)
    return {name: _joined(parts) for name, parts in found.items()}


def _prefix(kind: str) -> bytes:
    """What comes before the values of a column, once for each text in it that has keys: a version."""
    return (1).to_bytes(8, "little") * kind.count(_KEYED)


def _body(column: Column, kind: str) -> bytes:
    if kind == _KEYED:
        return _keyed(column if isinstance(column, Coded) else code(plain(column)))
    if kind == "String":
        texts = column if not isinstance(column, Coded) else [column.keys[one] for one in column.codes]
        return b"".join(map(_text, plain(texts)))
    if kind.startswith("Array("):
        inner = kind.removeprefix("Array(").removesuffix(")")
        if isinstance(column, Ragged):
            return column.ends.astype("<u8").tobytes() + _body(column.values, inner)
        return _ends(plain(column)) + _body([one for row in plain(column) for one in row], inner)
    if kind.startswith("Map("):
        key, value = kind.removeprefix("Map(").removesuffix(")").split(", ", 1)
        maps = plain(column)
        values = [one for row in maps for one in row.values()]
        return _ends(maps) + _body([one for row in maps for one in row], key) + _body(values, value)
    return np.asarray(column, _number(kind)).tobytes()


def _ends(rows: Sequence[Any]) -> bytes:
    """Where the values of each row end."""
    return np.cumsum([len(row) for row in rows], dtype="<u8").tobytes()


def numbers(column: Array | Ragged | Coded) -> Array:
    """A column of numbers as it is. Raises TypeError for one of another form."""
    if isinstance(column, Ragged | Coded):
        raise TypeError(f"{type(column).__name__} for a column of numbers")
    return column


def ragged(column: Array | Ragged | Coded) -> Ragged:
    """A column of arrays as it is. Raises TypeError for one of another form."""
    if not isinstance(column, Ragged):
        raise TypeError(f"{type(column).__name__} for a column of arrays")
    return column


def texts(column: Array | Ragged | Coded) -> list[str]:
    """The text of each row. Raises TypeError for a column of another form."""
    if not isinstance(column, Coded):
        raise TypeError(f"{type(column).__name__} for a column of texts")
    return [column.keys[one] for one in column.codes.tolist()]


def plain(column: Column) -> Sequence[Any]:
    """A column as a list of its values. Raises TypeError for one that has another form."""
    if isinstance(column, Ragged | Coded):
        raise TypeError(f"{type(column).__name__} for a column of another kind")
    return column if isinstance(column, Sequence) else column.tolist()


def _keyed(column: Coded) -> bytes:
    """Flags, keys, codes; nothing at all where there are no rows, as in a column of empty arrays."""
    if not len(column.codes):
        return b""
    width = next(width for width in (0, 1, 2) if len(column.keys) <= 1 << 8 * 2**width)
    return b"".join(
        (
            (_KEYS_AND_DICTIONARY | width).to_bytes(8, "little"),
            len(column.keys).to_bytes(8, "little"),
            *map(_text, column.keys),
            len(column.codes).to_bytes(8, "little"),
            column.codes.astype(("<u1", "<u2", "<u4")[width]).tobytes(),
        )
    )


def _number(kind: str) -> str:
    name = kind.partition("(")[0]
    if name not in _NUMBERS:
        raise TypeError(f"a column of type {kind}")
    return _NUMBERS[name]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return _varint(len(data)) + data


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7


def _read_text(data: bytes, position: int) -> tuple[str, int]:
    size, position = _read_varint(data, position)
    return data[position : position + size].decode("utf-8", "surrogateescape"), position + size


def _read_column(data: bytes, position: int, kind: str, rows: int) -> tuple[Array | Ragged | Coded, int]:
    if kind == _KEYED:
        return _read_keyed(data, position)
    if kind == "String":
        texts, position = _read_texts(data, position, rows)
        return code(texts), position
    if kind.startswith("Array("):
        ends = np.frombuffer(data, "<u8", rows, position)
        position += 8 * rows
        inner = kind.removeprefix("Array(").removesuffix(")")
        values = np.frombuffer(data, _number(inner), int(ends[-1]) if rows else 0, position)
        return Ragged(ends, values), position + values.nbytes
    values = np.frombuffer(data, _number(kind), rows, position)
    return values, position + values.nbytes


def _read_keyed(data: bytes, position: int) -> tuple[Coded, int]:
    """Version, flags, keys, codes: each block brings the keys that it needs."""
    width = data[position + 8]
    (count,) = np.frombuffer(data, "<u8", 1, position + 16).tolist()
    keys, position = _read_texts(data, position + 24, count)
    (rows,) = np.frombuffer(data, "<u8", 1, position).tolist()
    codes = np.frombuffer(data, ("<u1", "<u2", "<u4", "<u8")[width], rows, position + 8)
    return Coded(keys, codes), position + 8 + codes.nbytes


def _read_texts(data: bytes, position: int, count: int) -> tuple[list[str], int]:
    texts = []
    for _ in range(count):
        text, position = _read_text(data, position)
        texts.append(text)
    return texts, position


def _joined(parts: Sequence[Array | Ragged | Coded]) -> Array | Ragged | Coded:
    if len(parts) == 1:
        return parts[0]
    coded = [part for part in parts if isinstance(part, Coded)]
    if coded:
        return code(part.keys[one] for part in coded for one in part.codes.tolist())
    ragged = [part for part in parts if isinstance(part, Ragged)]
    if not ragged:
        return np.concatenate([part for part in parts if not isinstance(part, Ragged | Coded)])
    sizes = np.cumsum([0, *(len(part.values) for part in ragged)], dtype=np.uint64)
    ends = [part.ends + before for part, before in zip(ragged, sizes, strict=False)]
    return Ragged(np.concatenate(ends), np.concatenate([part.values for part in ragged]))
