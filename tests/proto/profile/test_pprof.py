import gzip
from pathlib import Path

import pytest
from pivotscope.profile.errors import ProfileFormatError
from pivotscope.profile.frame import Frame, RawStack
from pivotscope.profile.language import Language
from pivotscope.profile.pprof import parse_pprof

DATA = Path(__file__).parent / "data"


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(body)) + body


def packed(field: int, *values: int) -> bytes:
    return message(field, *map(varint, values))


TEXTS = b"".join(message(6, text.encode()) for text in ["", "samples", "count", "main", "/a.py", "f"])
LOCATIONS = b"".join(
    message(4, number(1, n), message(4, number(1, n), number(2, line))) for n, line in [(1, 10), (2, 300)]
)
FUNCTIONS = message(5, number(1, 1), number(2, 3), number(4, 4)) + message(5, number(1, 2), number(2, 5), number(4, 4))
TYPES = message(1, number(1, 1), number(2, 2))


def profile(*samples: bytes, types: bytes = TYPES) -> bytes:
    return gzip.compress(types + b"".join(samples) + LOCATIONS + FUNCTIONS + TEXTS, mtime=0)


def test_stacks_turn_root_first_and_counts_are_the_values() -> None:
    data = profile(message(2, packed(1, 2, 1), packed(2, 300)), message(2, number(1, 1), number(2, 4)))
    assert parse_pprof(data).stacks == (
        RawStack((Frame("main", "/a.py", 10), Frame("f", "/a.py", 300)), 300),
        RawStack((Frame("main", "/a.py", 10),), 4),
    )


def test_without_a_type_that_counts_each_entry_is_one_sample() -> None:
    data = profile(message(2, packed(1, 1), packed(2, 10_000_000)), types=message(1, number(1, 1), number(2, 3)))
    assert [stack.count for stack in parse_pprof(data).stacks] == [1]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\x1f\x8bx", "gzip"),
        (profile()[:-9], "cut off"),
        (gzip.compress(b"\x0a\x50x", mtime=0), "does not fit"),
        (gzip.compress(b"\x0b", mtime=0), "does not fit"),
        (gzip.compress(b"\xff" * 12, mtime=0), "64 bits"),
        (gzip.compress(b"\x80", mtime=0), "cut off within a number"),
        (gzip.compress(number(2, 5), mtime=0), "where a message should"),
        (profile(message(2, packed(1, 9), packed(2, 1))), "location 9"),
        (profile(message(2, packed(1, 1))), "0 values"),
        (gzip.compress(TYPES, mtime=0), "text 2 of 0"),
        (gzip.compress(LOCATIONS, mtime=0), "function 1"),
    ],
)
def test_errors_say_what_was_found(data: bytes, found: str) -> None:
    with pytest.raises(ProfileFormatError, match=found):
        parse_pprof(data)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pivotscope.profile.pprof._MAX_BYTES", 1 << 16)
    with pytest.raises(ProfileFormatError, match="unpacks to more"):
        parse_pprof(gzip.compress(bytes(1 << 17)))


def test_a_recorded_file() -> None:
    read = parse_pprof((DATA / "rbspy.pprof.gz").read_bytes())
    assert (read.language, sum(stack.count for stack in read.stacks)) == (Language.RUBY, 260)
    names = {frame.name for stack in read.stacks for frame in stack.frames}
    assert {"<main>", "rec", "block in work", "rescue in resc"} < names
