from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from pivotscope_agent.pipeline import state as states
from pivotscope_agent.pipeline.files import Files
from pivotscope_agent.pipeline.state import SpoolState

COUNTS = st.dictionaries(st.text(max_size=5), st.integers(0, 2**40), max_size=3)
STATES = st.builds(
    SpoolState,
    epoch=st.integers(1, 2**63),
    next_sequence=st.integers(1, 2**63),
    acknowledged=st.integers(0, 2**63),
    clean=st.booleans(),
    generation=st.integers(0, 2**40),
    may_be_sent=st.integers(0, 2**63),
    booked=st.integers(0, 2**63),
    boot=st.text(max_size=5),
    accounts=st.dictionaries(
        st.tuples(st.integers(1, 2**22), st.integers(0, 2**60)), st.integers(0, 2**60), max_size=3
    ),
    dropped=COUNTS,
    untold=COUNTS,
    gone=st.lists(st.text(max_size=5), max_size=2).map(tuple),
)


@given(STATES, st.binary(max_size=50))
def test_a_state_is_read_back_whatever_lay_there_before(state: SpoolState, older: bytes) -> None:
    assert states.unpack(states.pack(state) + older) == state


@given(STATES, st.data())
def test_a_torn_state_is_none(state: SpoolState, data: st.DataObject) -> None:
    packed = states.pack(state).rstrip(b"\n")
    assert states.unpack(packed[: data.draw(st.integers(0, len(packed) - 1))]) is None


@given(st.binary(max_size=100))
def test_any_bytes_are_a_state_or_none(data: bytes) -> None:
    assert states.unpack(data) is None or data


def test_the_newest_whole_one_counts(tmp_path: Path) -> None:
    files = Files()
    states.reserve(tmp_path, files)
    assert states.load(tmp_path, files) is None
    for generation in (1, 2, 3):
        states.save(tmp_path, SpoolState(9, 1 + generation, generation=generation), files, sync=False)
    found = states.load(tmp_path, files)
    assert found is not None
    assert found.next_sequence == 4
    torn = tmp_path / states.NAMES[1]
    torn.write_bytes(torn.read_bytes()[:40])
    found = states.load(tmp_path, files)
    assert found is not None
    assert found.next_sequence == 3


def test_a_state_takes_no_more_room_than_was_reserved(tmp_path: Path) -> None:
    files = Files()
    states.reserve(tmp_path, files)
    before = [(tmp_path / name).stat().st_size for name in states.NAMES]
    states.save(tmp_path, SpoolState(9, accounts={(pid, 5): pid for pid in range(500)}), files, sync=True)
    states.reserve(tmp_path, files)
    assert [(tmp_path / name).stat().st_size for name in states.NAMES] == before
    found = states.load(tmp_path, files)
    assert found is not None
    assert len(found.accounts) == 500
