"""From a request to a selection: services that are known, and times that make sense."""

from typing import Any

import pytest
from pivotscope.v1 import query_pb2
from pivotscope_collector.api.selection import require_service, selection_of
from pivotscope_collector.errors import NotFoundError, UsageError
from pivotscope_collector.settings import Retention
from pivotscope_collector.store.client import Client


@pytest.mark.engine
def test_a_service_may_be_asked_for_once_its_windows_have_expired(store: Client) -> None:
    with pytest.raises(NotFoundError, match="unknown service 'shop'; known: none yet"):
        require_service(store, "shop")
    store.insert("pools_day", {"bucket": [1_800_000_000], "service": ["shop"], "revision": [1]})
    require_service(store, "shop")
    require_service(store, "")


@pytest.mark.engine
def test_an_unknown_service_is_told_a_few_that_are_known(store: Client) -> None:
    names = [f"s{number:02}" for number in range(52)]
    store.insert("pools_day", {"bucket": [1_800_000_000] * 52, "service": names, "revision": [1] * 52})
    with pytest.raises(NotFoundError, match=r"unknown service 'shop'; known: s00, .*, s19 and more$"):
        require_service(store, "shop")


NOW = 1_800_000_000 * 10**9


def test_open_ends_are_now_and_an_hour_before_the_end() -> None:
    for message, since, until in (
        (query_pb2.Selection(), NOW - 3600 * 10**9, NOW),
        (query_pb2.Selection(until_unix_ns=7200 * 10**9), 3600 * 10**9, 7200 * 10**9),
        (query_pb2.Selection(until_unix_ns=7), 0, 7),
    ):
        selection = selection_of(message, NOW, Retention())
        assert (selection.since_ns, selection.until_ns) == (since, until)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"since_unix_ns": -5}, r"since_unix_ns=-5: expected unix nanoseconds from 0 to \d+"),
        ({"until_unix_ns": -5}, "until_unix_ns=-5: expected unix nanoseconds"),
        ({"since_unix_ns": -9, "until_unix_ns": -5}, "since_unix_ns=-9: expected unix nanoseconds"),
        ({"until_unix_ns": 2**63 - 1}, "until_unix_ns=9223372036854775807: expected unix nanoseconds"),
        ({"since_unix_ns": NOW + 1}, "the range ends before it starts"),
        ({"since_unix_ns": 9, "until_unix_ns": 5}, "the range ends before it starts"),
        ({"service": "x" * 5000}, "service: 5000 characters, expected at most 4096"),
        ({"variant": "x" * 5000}, "variant: 5000 characters, expected at most 4096"),
    ],
)
def test_what_no_range_or_name_can_be_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        selection_of(query_pb2.Selection(**fields), NOW, Retention())


def test_a_request_is_told_from_where_on_hours_are_all_that_is_kept() -> None:
    since = NOW - 70 * 86_400 * 10**9
    message = query_pb2.Selection(since_unix_ns=since, until_unix_ns=since + 90 * 60 * 10**9)
    for days, resolution in ((60, 3600), (80, 60)):
        selection = selection_of(message, NOW, Retention(minute_days=days))
        assert selection.resolution == resolution
        assert selection.since * 10**9 <= since
        assert selection.until * 10**9 >= message.until_unix_ns
