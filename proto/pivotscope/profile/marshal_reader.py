"""Reads the few kinds of values that a pstats file holds from Python's marshal format.

The interpreter's own reader builds code objects and allocates what a length field says; this one can only make numbers,
texts, tuples and dictionaries, never more of them than there are bytes. The format is that of CPython's
Python/marshal.c, versions 0 to 4.
"""

import struct
from collections.abc import Hashable

from pivotscope.profile.errors import ProfileFormatError

_FLAG_REF = 0x80
_MAX_DEPTH = 32
_TEXTS = frozenset("utsaA")
_END = object()  # the NULL that ends a dictionary


def read_marshal(data: bytes, tool: str) -> object:
    """The value that the bytes hold. Raises ProfileFormatError for anything unknown, cut off or left over."""
    reader = _Reader(data, tool)
    value = reader.value(0)
    if reader.position != len(data):
        raise ProfileFormatError(tool, f"{len(data) - reader.position} bytes follow the end")
    return value


class _Reader:
    def __init__(self, data: bytes, tool: str) -> None:
        self._data = data
        self._tool = tool
        self._references: list[object] = []
        self.position = 0

    def value(self, depth: int) -> object:
        if depth > _MAX_DEPTH:
            raise ProfileFormatError(self._tool, f"values are nested more than {_MAX_DEPTH} deep")
        code = self._take(1)[0]
        kind = chr(code & ~_FLAG_REF)
        if kind == "r":
            return self._reference()
        slot = -1
        if code & _FLAG_REF:
            slot = len(self._references)
            self._references.append(_END)
        value = self._read(kind, depth)
        if slot >= 0:
            self._references[slot] = value
        return value

    def _read(self, kind: str, depth: int) -> object:
        if kind in _TEXTS:
            return self._take(self._length()).decode("utf-8", "surrogateescape")
        if kind in "zZ":
            return self._take(self._take(1)[0]).decode("latin-1")
        if kind in "()":
            return self._tuple(self._length() if kind == "(" else self._take(1)[0], depth)
        if kind == "{":
            return self._dictionary(depth)
        if kind in "ilgf":
            return self._number(kind)
        if kind in "N0":
            return None if kind == "N" else _END
        raise ProfileFormatError(self._tool, f"byte {self.position - 1} starts a {kind!r}, no value of a profile")

    def _number(self, kind: str) -> int | float:
        if kind == "i":
            return self._int32()
        if kind == "l":
            return self._long()
        return float(struct.unpack("<d", self._take(8))[0]) if kind == "g" else self._text_float()

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self._data):
            raise ProfileFormatError(self._tool, f"cut off at byte {len(self._data)}")
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def _int32(self) -> int:
        return int.from_bytes(self._take(4), "little", signed=True)

    def _length(self) -> int:
        length = self._int32()
        if length < 0 or length > len(self._data) - self.position:
            raise ProfileFormatError(self._tool, f"a length at byte {self.position - 4} is beyond the end")
        return length

    def _long(self) -> int:
        size = self._int32()
        digits = self._take(2 * min(abs(size), len(self._data)))
        value = 0
        for position, (digit,) in enumerate(struct.iter_unpack("<H", digits[:64])):
            value |= digit << (15 * position)
        return -value if size < 0 else value

    def _text_float(self) -> float:
        text = self._take(self._take(1)[0])
        try:
            return float(text)
        except ValueError as error:
            raise ProfileFormatError(self._tool, f"{text!r} is no number") from error

    def _reference(self) -> object:
        index = self._int32()
        if not 0 <= index < len(self._references) or self._references[index] is _END:
            raise ProfileFormatError(self._tool, f"byte {self.position - 4} refers to a value that is not there")
        return self._references[index]

    def _tuple(self, length: int, depth: int) -> tuple[object, ...]:
        items = []
        for _ in range(length):
            item = self.value(depth + 1)
            if item is _END:
                raise ProfileFormatError(self._tool, "a tuple holds no value where it should")
            items.append(item)
        return tuple(items)

    def _dictionary(self, depth: int) -> dict[Hashable, object]:
        found: dict[Hashable, object] = {}
        while (key := self.value(depth + 1)) is not _END:
            value = self.value(depth + 1)
            try:
                found[key] = value
            except TypeError as error:
                raise ProfileFormatError(self._tool, "a key of a dictionary cannot be one") from error
        return found
