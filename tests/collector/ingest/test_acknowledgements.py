from pivotscope_collector.ingest.acknowledgements import Acknowledgements


def _with(*sequences: int) -> Acknowledgements:
    made = Acknowledgements()
    for sequence in sequences:
        made.received(sequence)
    return made


def test_it_waits_for_the_first_and_tells_the_last() -> None:
    acks = _with(1, 2, 3)
    acks.settled(2)
    acks.settled(3)
    assert acks.take() == 0
    acks.settled(1)
    assert acks.take() == 3
    assert acks.take() == 0


def test_gaps_are_the_agents_own() -> None:
    acks = _with(5, 9)
    acks.settled(5)
    acks.settled(9)
    assert acks.take() == 9


def test_a_refusal_for_good_counts_as_done() -> None:
    acks = _with(1, 2)
    acks.settled(1)
    acks.settled(2, retry=False)
    assert acks.take() == 2


def test_nothing_behind_a_batch_that_is_expected_again_is_acknowledged() -> None:
    acks = _with(1, 2, 3)
    acks.settled(1)
    acks.settled(2, retry=True)
    acks.settled(3)
    assert acks.take() == 1
    acks.received(2)
    assert acks.take() == 0
    acks.settled(2)
    assert acks.take() == 3


def test_an_agent_that_repeats_later_ones_has_given_the_batch_up() -> None:
    acks = _with(1, 2, 3)
    acks.settled(1)
    acks.settled(2, retry=True)
    acks.settled(3)
    assert acks.take() == 1
    acks.received(3)
    acks.settled(3)
    assert acks.take() == 3


def test_a_repetition_of_what_was_told_is_told_again() -> None:
    acks = _with(4)
    acks.settled(4)
    assert acks.take() == 4
    acks.received(4)
    acks.settled(4)
    assert acks.take() == 4


def test_two_copies_under_way_are_both_waited_for() -> None:
    acks = _with(1, 1)
    acks.settled(1)
    assert acks.take() == 0
    acks.settled(1)
    assert acks.take() == 1
