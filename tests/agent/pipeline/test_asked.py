import pytest
from pivotscope.profile.window import Mode
from pivotscope_agent.pipeline.asked import words
from pivotscope_agent.pipeline.control import (
    Command,
    DesiredState,
    FactsWanted,
    Pause,
    RequestFacts,
    Resume,
    ServiceState,
    SetRate,
)

PAUSED = ServiceState("shop", paused=True, pause_seconds=1800, note="release night")
SLOW = ServiceState("", rate_hz=5, max_targets=2, modes=frozenset({Mode.GIL, Mode.ACTIVE}))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (SetRate("shop", 25), "25 Hz for shop"),
        (SetRate("", 5), "5 Hz for all services"),
        (Pause("shop", 60), "a pause of shop for 60 s"),
        (Pause("", 0), "a pause of all services"),
        (Resume("shop"), "shop to be sampled again"),
        (RequestFacts(""), "facts of all codebases"),
        (DesiredState(), "nothing in particular"),
        (DesiredState((PAUSED,)), "shop: a pause for 1800 s (release night)"),
        (
            DesiredState((SLOW,), (FactsWanted("web", 1),)),
            "all services: 5 Hz, at most 2 processes at once, modes active, gil; facts of web",
        ),
        (DesiredState((ServiceState("shop"),)), "shop: as its settings say"),
    ],
)
def test_commands_in_words(command: Command, expected: str) -> None:
    assert words(command) == expected
