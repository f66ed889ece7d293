from pivotscope_agent.turns import Turns

A, B, C = (1, 10), (2, 20), (3, 30)


def test_without_a_limit_everybody_has_a_turn() -> None:
    turns = Turns()
    assert all(turns.take("shop", key, 0) for key in (A, B, C))


def test_turns_go_round_and_never_are_more_than_allowed() -> None:
    turns = Turns()
    given = []
    for _ in range(6):
        for key in (A, B, C):
            if turns.take("shop", key, 1):
                given.append(key)
                assert not any(turns.take("shop", other, 1) for other in {A, B, C} - {key})
                turns.leave("shop", key)
    assert {key: given.count(key) for key in (A, B, C)} == {A: 6, B: 6, C: 6}


def test_a_lower_limit_waits_for_those_that_run() -> None:
    turns = Turns()
    assert turns.take("shop", A, 0)
    assert turns.take("shop", B, 0)
    assert not turns.take("shop", C, 1)
    turns.leave("shop", A)
    assert not turns.take("shop", C, 1)
    turns.leave("shop", B)
    assert not turns.take("shop", A, 1)
    assert turns.take("shop", C, 1)


def test_services_do_not_wait_for_each_other_and_the_ended_are_forgotten() -> None:
    turns = Turns()
    assert turns.take("shop", A, 1)
    assert turns.take("other", B, 1)
    assert not turns.take("shop", C, 1)
    turns.forget("shop", A)
    assert turns.take("shop", C, 1)
