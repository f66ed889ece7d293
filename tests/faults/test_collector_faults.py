"""Short forms of what `python -m tests.faults.collector_kills` and `python -m tests.faults.malformed` show."""

import pytest

from tests.faults import collector_kills, malformed

pytestmark = pytest.mark.e2e


@pytest.mark.slow
def test_a_killed_collector_loses_nothing_and_counts_nothing_twice() -> None:
    outcome = collector_kills.show(kills=2, collectors=1, seed=3)
    assert outcome.problems == []
    assert outcome.streams > collector_kills.AGENTS
    assert outcome.repeated > 0


def test_malformed_messages_are_typed_and_hurt_no_other() -> None:
    outcome = malformed.show(messages=200)
    assert outcome.problems == []
    assert outcome.good > 0
    assert outcome.answers["in part"] > 0
    assert outcome.mixed > 0
