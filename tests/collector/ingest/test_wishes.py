from pivotscope.profile.window import Mode
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_collector.ingest.wishes import Wish, Wishes, message_of, wishes_of
from pivotscope_collector.security.grant import Grant
from pivotscope_collector.store.controls import FACTS_MS, Kind, Standing

NOW = 1_795_000_000_000_000_000
SECOND = 10**9


def test_nothing_is_asked() -> None:
    assert wishes_of([], "a", NOW) == Wishes()
    assert message_of(Wishes(), NOW) == pb.DesiredState()


def test_the_narrowest_audience_wins_and_other_agents_hear_nothing_of_it() -> None:
    asked = [
        Standing(Kind.RATE, amount=10),
        Standing(Kind.RATE, service="shop", amount=20),
        Standing(Kind.RATE, agent="a", amount=30),
        Standing(Kind.RATE, agent="a", service="shop", amount=40),
    ]
    assert wishes_of(asked, "a", NOW).services == (Wish("", 30), Wish("shop", 40))
    assert wishes_of(asked[:3], "a", NOW).services == (Wish("", 30), Wish("shop", 30))
    assert wishes_of(asked, "b", NOW).services == (Wish("", 10), Wish("shop", 20))


def test_a_service_with_a_wish_of_its_own_keeps_what_is_asked_of_all() -> None:
    asked = [Standing(Kind.RATE, amount=10), Standing(Kind.TARGETS, service="shop", amount=2)]
    assert wishes_of(asked, "a", NOW).services == (Wish("", 10), Wish("shop", 10, max_targets=2))


def test_the_pause_that_ends_last_counts() -> None:
    asked = [
        Standing(Kind.PAUSE, service="shop", until_ns=NOW + 60 * SECOND, asked_by="ana", note="release"),
        Standing(Kind.PAUSE, until_ns=NOW + 30 * SECOND),
    ]
    wishes = wishes_of(asked, "a", NOW)
    assert [(wish.service, wish.paused_until) for wish in wishes.services] == [
        ("", NOW + 30 * SECOND),
        ("shop", NOW + 60 * SECOND),
    ]
    first, second = message_of(wishes, NOW + SECOND).services
    assert (first.paused, first.pause_seconds, first.note) == (True, 29, "")
    assert (second.paused, second.pause_seconds, second.note) == (True, 59, "ana: release")
    (forever,) = message_of(wishes_of([*asked, Standing(Kind.PAUSE)], "a", NOW), NOW).services[:1]
    assert (forever.paused, forever.pause_seconds) == (True, 0)


def test_an_ended_pause_is_no_pause() -> None:
    asked = [Standing(Kind.PAUSE, until_ns=NOW)]
    assert wishes_of(asked, "a", NOW - 1) != Wishes()
    assert wishes_of(asked, "a", NOW) == Wishes()


def test_a_stream_hears_nothing_of_services_and_codebases_that_its_token_may_not_write() -> None:
    asked = [
        Standing(Kind.RATE, amount=10),
        Standing(Kind.RATE, service="other", amount=20),
        Standing(Kind.PAUSE, service="shop", asked_by="ana", note="release"),
        Standing(Kind.PAUSE, agent="a", service="shop", asked_by="ana", note="release"),
        Standing(Kind.FACTS, asked_ns=NOW - 7),
        Standing(Kind.FACTS, codebase="other", asked_ns=NOW - 7),
        Standing(Kind.FACTS, codebase="shop", asked_ns=NOW - 7),
    ]
    told = wishes_of(asked, "a", NOW, Grant("t", "t", write=frozenset({"other"})))
    assert told.services == (Wish("", 10), Wish("other", 20))
    assert told.facts == (("", NOW - 7), ("other", NOW - 7))
    assert len(wishes_of(asked, "a", NOW, Grant("t", "t", write=frozenset({"*"}))).services) == 3


def test_modes_and_facts() -> None:
    old = Standing(Kind.FACTS, codebase="old", asked_ns=NOW - FACTS_MS * 10**6)
    asked = [
        Standing(Kind.MODES, service="shop", modes=(Mode.GIL,)),
        Standing(Kind.FACTS, service="other", codebase="shop", asked_ns=NOW - 9),
        Standing(Kind.FACTS, codebase="shop", asked_ns=NOW - 7),
        Standing(Kind.FACTS, agent="b", codebase="other", asked_ns=NOW - 5),
        old,
    ]
    message = message_of(wishes_of(asked, "a", NOW), NOW)
    assert [(one.service, list(one.modes)) for one in message.services] == [("shop", [pb.MODE_GIL])]
    assert [(one.codebase, one.asked_unix_ns) for one in message.facts] == [("shop", NOW - 7)]
    assert wishes_of([old], "a", NOW - 1).facts == (("old", old.asked_ns),)
