from dataclasses import replace

import pytest
from pivotscope.profile.window import Mode
from pivotscope_collector.store import controls
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.controls import Kind, Standing

pytestmark = pytest.mark.engine

NOW = 1_795_000_000_000_000_000
SECOND = 10**9


def test_what_is_asked_is_read_as_it_was_written_until_it_is_taken_back(store: Client) -> None:
    rate = Standing(Kind.RATE, "a", "shop", amount=25, asked_by="ana", note="why", asked_ns=NOW)
    modes = Standing(Kind.MODES, modes=(Mode.GIL, Mode.ACTIVE), asked_ns=NOW)
    controls.write(store, [rate, modes], active=True)
    assert controls.standing(store, NOW) == [modes, rate]
    higher = replace(rate, amount=50, asked_ns=NOW + 1000)
    controls.write(store, [higher], active=True)
    assert controls.standing(store, NOW) == [modes, higher]
    controls.write(store, [replace(higher, asked_ns=NOW + 2000)], active=False)
    assert controls.standing(store, NOW) == [modes]


def test_pauses_and_requests_for_facts_end_by_themselves(store: Client) -> None:
    pause = Standing(Kind.PAUSE, service="shop", until_ns=NOW + 60 * SECOND, asked_ns=NOW)
    forever = Standing(Kind.PAUSE, asked_ns=NOW)
    facts = Standing(Kind.FACTS, codebase="shop", asked_ns=NOW)
    controls.write(store, [pause, forever, facts], active=True)
    assert set(controls.standing(store, NOW)) == {pause, forever, facts}
    assert set(controls.standing(store, NOW + 60 * SECOND)) == {forever, facts}
    assert set(controls.standing(store, NOW + 3600 * SECOND)) == {forever}


def test_audiences() -> None:
    one = Standing(Kind.PAUSE, "a", "shop")
    assert one.holds_for("a", "shop")
    assert not one.holds_for("b", "shop")
    assert one.lies_within("", "shop")
    assert one.lies_within("", "")
    assert not Standing(Kind.PAUSE, "", "shop").lies_within("a", "shop")
    assert Standing(Kind.PAUSE, "", "shop").touches("a", "")
    assert not Standing(Kind.PAUSE, "b", "").touches("a", "shop")
