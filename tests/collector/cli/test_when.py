from datetime import datetime

import pytest
from pivotscope_collector.cli.when import parse_range, parse_when
from pivotscope_collector.errors import UsageError

NOW = 1_800_000_000 * 10**9


@pytest.mark.parametrize(
    ("text", "ago"), [("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800), ("2w", 1_209_600)]
)
def test_so_long_ago(text: str, ago: int) -> None:
    assert parse_when(text, NOW) == NOW - ago * 10**9


def test_now() -> None:
    assert parse_when("now", NOW) == NOW


def test_iso_times_keep_their_zone_and_are_local_without_one() -> None:
    assert parse_when("2026-11-22T10:00:00+02:00", NOW) == 1_795_334_400 * 10**9
    local = datetime(2026, 11, 22, 10).astimezone()
    assert parse_when("2026-11-22T10:00", NOW) == int(local.timestamp()) * 10**9


def test_times_beyond_all_that_is_stored_are_its_ends() -> None:
    for text in ("9999999999d", "1960-01-01"):
        assert parse_when(text, NOW) == 0
    assert NOW < parse_when("9999-12-31T00:00+00:00", NOW) < 2**63


@pytest.mark.parametrize("text", ["", "yesterday", "7", "7y", "-3h", "2026-13-01"])
def test_anything_else_names_the_forms(text: str) -> None:
    with pytest.raises(UsageError, match="expected 15m, 24h"):
        parse_when(text, NOW)


def test_a_range_has_two_ends_in_order() -> None:
    assert parse_range("2h..1h", NOW) == (NOW - 7200 * 10**9, NOW - 3600 * 10**9)
    assert parse_range("1h..", NOW) == (NOW - 3600 * 10**9, NOW)


@pytest.mark.parametrize("text", ["1h", "..1h", "1h..2h", "1h..1h"])
def test_a_range_that_is_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse_range(text, NOW)
