"""Nothing is lost to clocks that jump, differ or are far behind: what is stored is answered, and gets rolled up."""

from collections.abc import Mapping
from unittest.mock import Mock

import pytest
from pivotscope_collector.counters import Count, Counters
from pivotscope_collector.errors import StoreError
from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.native import Column
from pivotscope_collector.store.reader import Selection
from pivotscope_collector.store.reception import Reception, StoreClock
from pivotscope_collector.store.rollup import RollUp
from pivotscope_collector.store.writer import Writer

from tests.collector.store.conftest import MARGIN, MINUTE, MakeRows, SetClock

HOUR = 3600


def _answered(store: Client, clock: SetClock) -> int:
    selection = Selection(int((clock.now - 3 * HOUR) * 1e9), int((clock.now + 3 * HOUR) * 1e9))
    return sum(reader.pools(store, selection)["samples"])


def _rolled(store: Client) -> int:
    return int(store.run("SELECT sum(samples) AS n FROM pools_minute FINAL")["n"][0])


def _collector(store: Client, clock: SetClock) -> tuple[Writer, RollUp]:
    """One that has just been started."""
    reception = Reception(store, clock)
    return (
        Writer(store, reception, Counters(), MARGIN),
        RollUp(store, clock, reception, Counters(), margin_seconds=MARGIN, raw_days=14),
    )


@pytest.mark.engine
@pytest.mark.parametrize("starts", [1, 2])
def test_a_clock_that_is_set_back_loses_nothing(
    store: Client, clock: SetClock, window_rows: MakeRows, starts: int
) -> None:
    writer, roll_up = _collector(store, clock)
    minute, written = int(clock.now), 12
    writer.write(window_rows({(1, 2): 5}))
    clock.ahead = HOUR
    clock.now += 300
    writer.write(window_rows({(1, 2): 7}, minute=minute + HOUR + 300))
    clock.now += 120
    assert roll_up.run() == 2
    clock.ahead = 0
    if starts == 2:
        writer, roll_up = _collector(store, clock)
    for count in range(1, 10):
        # The minute that is under way, and one that is over and was rolled up before.
        for at in (int(clock.now) // MINUTE * MINUTE, minute):
            writer.write(window_rows({(1, 2): count}, minute=at))
            written += count
        assert _answered(store, clock) == written
        clock.now += 35
        roll_up.run()
        assert _answered(store, clock) == written
    clock.now += 2 * HOUR
    roll_up.run()
    assert _rolled(store) == written
    assert store.query("unrolled_minutes", {"since": 0, "until": 2**32 - 1})["minutes"] == [0]


@pytest.mark.engine
def test_collectors_whose_clocks_differ_lose_nothing(store: Client, clock: SetClock, window_rows: MakeRows) -> None:
    """The store's clock stands for those of two servers."""
    fast = SetClock()
    fast.ahead = 2 * MINUTE
    (writer, roll_up), (_, faster) = _collector(store, clock), _collector(store, fast)
    written = 0
    for count in range(1, 10):
        for at in (0, -5 * MINUTE):
            writer.write(window_rows({(1, 2): count}, minute=int(clock.now) // MINUTE * MINUTE + at))
            written += count
        clock.now += 25
        fast.now = clock.now
        for one in (faster, roll_up):
            one.run()
            assert _answered(store, clock) == written
    clock.now += HOUR
    roll_up.run()
    assert _rolled(store) == written


@pytest.mark.engine
@pytest.mark.parametrize("who", ["the same", "another"])
def test_an_insert_under_way_while_a_clock_jumps_is_not_lost(
    store: Client, clock: SetClock, window_rows: MakeRows, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    """Of the same collector, or while another one that is ahead looks."""
    reception, counters = Reception(store, clock), Counters()
    writer = Writer(store, reception, counters, MARGIN)
    late = SetClock()
    looking = reception if who == "the same" else Reception(store, late)
    jumped = RollUp(store, late, looking, Counters(), margin_seconds=MARGIN, raw_days=14)
    insert, jumps = store.insert, [HOUR]

    def held(table: str, columns: Mapping[str, Column], token: str = "") -> None:
        if table == "windows" and jumps:
            clock.ahead = late.ahead = jumps.pop()
            jumped.run()
        insert(table, columns, token)

    reception.renew()
    monkeypatch.setattr(store, "insert", held)
    writer.write(window_rows({(1, 2): 5}, minute=int(clock.now) - 10 * MINUTE))
    assert counters.get(Count.COMMITS_REPEATED) == 1
    assert _answered(store, clock) == 5
    clock.now += 2 * MINUTE
    RollUp(store, clock, reception, Counters(), margin_seconds=MARGIN, raw_days=14).run()
    assert _rolled(store) == 5


def _told(client_writes: int | None = None) -> Mock:
    """A store in which no roll-up was ever told of."""
    client = Mock(spec=Client)
    client.writes.return_value = client_writes
    client.query.return_value = {"last_us": [0]}
    return client


def test_time_never_goes_back_and_is_moved_forward_when_it_is_renewed(clock: SetClock) -> None:
    client = _told()
    reception = Reception(client, clock)
    start = int(clock.now * 1e6)
    assert reception.now_us() == start
    clock.ahead = -HOUR
    clock.now += 1
    reception.renew()
    assert reception.now_us() == start + 10**6
    clock.ahead = HOUR
    assert reception.now_us() == start + 10**6
    reception.renew()
    assert reception.now_us() == start + (HOUR + 1) * 10**6
    client.query.return_value = {"last_us": [start + 2 * HOUR * 10**6]}
    reception.renew()
    assert reception.now_us() == start + 2 * HOUR * 10**6


def test_time_goes_on_while_the_store_does_not_answer(clock: SetClock) -> None:
    client = _told()
    reception, written = Reception(client, clock), list[int]()
    client.query.side_effect = StoreError("gone")
    with pytest.raises(StoreError):
        reception.now_us()
    client.query.side_effect = None
    start = reception.now_us()
    client.query.side_effect = StoreError("gone")
    clock.now += 5
    assert reception.stamp(written.append, 10**6) == 1
    with pytest.raises(StoreError):
        reception.renew()
    assert [reception.now_us()] == written == [start + 5 * 10**6]


def test_a_store_of_its_own_is_asked_only_after_it_was_told(clock: SetClock) -> None:
    client = _told(client_writes=1)
    reception = Reception(client, clock)
    for _ in range(3):
        reception.stamp(lambda _: None, 10**6)
    assert client.query.call_count == 1
    client.writes.return_value = 2
    reception.stamp(lambda _: None, 10**6)
    assert client.query.call_count == 2


@pytest.mark.engine
def test_a_store_tells_its_time(store: Client) -> None:
    clock = StoreClock(store)
    first = clock.unix_ns()
    assert Reception(store, clock).now_us() >= first // 1000 > 1_767_225_600_000_000
    assert clock.monotonic() <= clock.monotonic()
