"""One contract for records on disk and in memory."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pivotscope_agent.pipeline import record as framing
from pivotscope_agent.pipeline.files import Files
from pivotscope_agent.pipeline.record import Record
from pivotscope_agent.pipeline.segment import DiskSegment, MemorySegment, Segment, count_after, positions_after


@pytest.fixture(params=["disk", "memory"])
def segment(request: pytest.FixtureRequest, tmp_path: Path) -> Segment:
    return DiskSegment.create(tmp_path, 5, 1, Files()) if request.param == "disk" else MemorySegment()


def make(sequence: int) -> Record:
    return Record(sequence, sequence * 10, b"definitions" * sequence, b"batch")


def test_records_are_read_back_by_position(segment: Segment) -> None:
    for sequence in (1, 2, 7):
        segment.append(make(sequence))
    assert [segment.read(position) for position in range(3)] == [make(1), make(2), make(7)]
    assert segment.newest_unix_ns == 70


def test_positions_follow_a_sequence(segment: Segment) -> None:
    for sequence in (1, 2, 7):
        segment.append(make(sequence))
    assert list(positions_after(segment, 0)) == [0, 1, 2]
    assert list(positions_after(segment, 2)) == [2]
    assert list(positions_after(segment, 5)) == [2]
    assert count_after(segment, 7) == 0


def test_size_grows_with_every_record(segment: Segment) -> None:
    before = segment.size
    segment.append(make(3))
    assert segment.size == before + make(3).size


def test_sealed_segments_can_be_read(segment: Segment) -> None:
    segment.append(make(1))
    segment.seal(sync=True)
    segment.seal(sync=True)
    assert segment.read(0) == make(1)


def test_a_removed_segment_takes_no_room(segment: Segment, tmp_path: Path) -> None:
    segment.append(make(1))
    segment.remove()
    assert not list(tmp_path.iterdir())


def test_a_sealed_file_takes_nothing(tmp_path: Path) -> None:
    segment = DiskSegment.create(tmp_path, 5, 1, Files())
    segment.seal(sync=False)
    with pytest.raises(OSError, match="sealed"):
        segment.append(make(1))


def test_a_file_that_is_not_a_segment_has_no_epoch(tmp_path: Path) -> None:
    path = tmp_path / "x.segment"
    path.write_bytes(b"something else altogether")
    assert DiskSegment.load(path, Files()).epoch is None


def test_a_damaged_record_costs_none_behind_it(tmp_path: Path) -> None:
    segment = DiskSegment.create(tmp_path, 5, 1, Files())
    for sequence in (1, 2, 3):
        segment.append(make(sequence))
    segment.seal(sync=False)
    data = bytearray(segment.path.read_bytes())
    data[framing.HEADER_BYTES + make(1).size + framing.FRAME_BYTES] ^= 1
    segment.path.write_bytes(data)
    found = DiskSegment.load(segment.path, Files())
    assert (list(found.segment.sequences), found.damaged, found.rest) == ([1, 3], 1, 0)
    assert found.segment.read(1) == make(3)


def test_what_a_kill_left_of_a_record_is_the_rest(tmp_path: Path) -> None:
    segment = DiskSegment.create(tmp_path, 5, 1, Files())
    for sequence in (1, 2):
        segment.append(make(sequence))
    data = segment.path.read_bytes()
    for length in range(segment.size - make(2).size, segment.size):
        segment.path.write_bytes(data[:length])
        found = DiskSegment.load(segment.path, Files())
        assert list(found.segment.sequences) == [1]
        assert found.rest == length - found.segment.size


@given(
    st.binary(max_size=200),
    st.binary(max_size=200),
    st.binary(max_size=200),
    st.integers(1, 2**64 - 1),
    st.integers(0, 2**63 - 1),
)
def test_framing_round_trip(definitions: bytes, batch: bytes, notes: bytes, sequence: int, moment: int) -> None:
    record = Record(sequence, moment, definitions, batch, notes)
    data = framing.pack(record)
    assert len(data) == record.size
    assert framing.unpack(b"before" + data + b"after", 6) == record


@given(st.binary(min_size=1, max_size=100), st.data())
def test_no_damage_goes_unseen(batch: bytes, data: st.DataObject) -> None:
    frame = bytearray(framing.pack(Record(1, 2, b"", batch)))
    position = data.draw(st.integers(0, len(frame) - 1))
    frame[position] ^= data.draw(st.integers(1, 255))
    assert framing.unpack(bytes(frame)) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_none(data: bytes) -> None:
    record = framing.unpack(data)
    assert record is None or framing.pack(record) == data[: record.size]
