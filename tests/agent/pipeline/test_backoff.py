from random import Random

from pivotscope_agent.pipeline.backoff import Backoff


def test_pauses_double_up_to_the_longest_and_are_spread() -> None:
    backoff = Backoff(first_s=1, longest_s=8, random=Random(1))
    for ceiling in (1, 2, 4, 8, 8, 8):
        assert ceiling / 2 <= backoff.pause() <= ceiling
    backoff.reset()
    assert backoff.pause() <= 1


def test_two_agents_do_not_come_back_together() -> None:
    spreads = map(Random, range(20))
    pauses = {Backoff(first_s=1, longest_s=8, random=spread).pause() for spread in spreads}
    assert len(pauses) == 20
