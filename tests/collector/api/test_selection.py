"""From a request to a selection: services that are known, and times that make sense."""

import pytest
from pivotscope_collector.api.selection import require_service
from pivotscope_collector.errors import NotFoundError
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
    with pytest.raises(NotFoundError, match=r"unknown service 'shop'; known: s00, .*, s49 and more$"):
        require_service(store, "shop")
