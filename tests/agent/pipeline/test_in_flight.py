from pivotscope_agent.pipeline.in_flight import InFlight


def filled(*sequences: int) -> InFlight:
    flight = InFlight(acknowledged=0)
    for sequence in sequences:
        flight.sent(sequence)
    return flight


def test_acknowledgements_are_cumulative() -> None:
    flight = filled(1, 2, 5)
    assert flight.acknowledge(3) == 2
    assert (len(flight), flight.acknowledged) == (1, 2)
    assert flight.acknowledge(5) == 1
    assert flight.acknowledged == 5


def test_an_acknowledgement_of_what_was_not_sent_settles_no_more_than_what_was() -> None:
    flight = filled(1)
    assert flight.acknowledge(100) == 1
    assert flight.acknowledged == 1


def test_a_refusal_ahead_of_others_waits_for_them() -> None:
    flight = filled(1, 2, 3)
    assert flight.settle(2)
    assert (len(flight), flight.acknowledged) == (2, 0)
    assert flight.acknowledge(1) == 1
    assert flight.acknowledged == 2
    assert not flight.settle(2)


def test_a_rewind_goes_back_to_the_record_and_keeps_what_is_before() -> None:
    flight = filled(1, 2, 3, 4)
    assert flight.rewind(3)
    assert flight.cursor == 2
    assert len(flight) == 2
    assert not flight.rewind(4), "it waits to be sent again: an answer to its first sending is stale"


def test_what_is_settled_is_left_out_of_a_repetition() -> None:
    flight = filled(1, 2, 3)
    flight.settle(3)
    flight.rewind(2)
    assert flight.is_settled(3)
    flight.sent(2)
    flight.sent(3)
    assert len(flight) == 2
    flight.acknowledge(2)
    assert flight.acknowledged == 3
